//! Messages: on the firmware's console, and on the first serial port where the
//! console does not go there by itself.

extern crate alloc;

use alloc::format;
use core::fmt::Write;

use uefi::boot::{self, OpenProtocolAttributes, OpenProtocolParams, ScopedProtocol};
use uefi::proto::console::serial::Serial;
use uefi::proto::console::text::Output;
use uefi::proto::device_path::{DevicePath, DeviceSubType, DeviceType};
use uefi::runtime::{self, VariableVendor};
use uefi::{Handle, Identify, cstr16, system};

/// Where messages go.
pub(crate) struct Console {
    /// A port that the console does not reach.
    serial: Option<ScopedProtocol<Serial>>,
}

impl Console {
    /// Looks for a serial port beside the console.
    pub(crate) fn find() -> Self {
        // The devices that the console consists of, UEFI 2.10, 3.3. There are others that
        // text can be written to: firmware puts a terminal on each port that it finds.
        let variable =
            runtime::get_variable_boxed(cstr16!("ConOut"), &VariableVendor::GLOBAL_VARIABLE);
        let bytes = variable.map(|(bytes, _)| bytes).unwrap_or_default();
        let devices = <&DevicePath>::try_from(&*bytes).ok();
        let terminals = boot::find_handles::<Output>().unwrap_or_default();
        if devices.is_some_and(|devices| terminals.iter().any(|it| is_serial(*it, devices))) {
            return Self { serial: None };
        }
        let ports = boot::find_handles::<Serial>().unwrap_or_default();
        Self { serial: ports.first().and_then(|port| open(*port)) }
    }

    /// Writes a line. A device that fails is passed over: there is no other to say it on.
    pub(crate) fn line(&mut self, text: &str) {
        let line = format!("pvh-loader: {text}");
        let _passed_over = system::with_stdout(|stdout| writeln!(stdout, "{line}"));
        if let Some(serial) = &mut self.serial {
            let _passed_over = serial.write_exact(format!("{line}\r\n").as_bytes());
        }
    }

    /// Gives the port back, before the firmware is left.
    pub(crate) fn close(&mut self) {
        self.serial = None;
    }
}

/// Whether a terminal is on a UART and one of the console's devices.
fn is_serial(terminal: Handle, devices: &DevicePath) -> bool {
    const UART: (DeviceType, DeviceSubType) =
        (DeviceType::MESSAGING, DeviceSubType::MESSAGING_UART);
    open::<DevicePath>(terminal).is_some_and(|path| {
        path.node_iter().any(|node| node.full_type() == UART)
            && devices.instance_iter().any(|device| device.node_iter().eq(path.node_iter()))
    })
}

/// Opens a protocol beside whoever uses it already.
fn open<P: uefi::proto::ProtocolPointer + Identify + ?Sized>(
    handle: Handle,
) -> Option<ScopedProtocol<P>> {
    let params = OpenProtocolParams { handle, agent: boot::image_handle(), controller: None };
    // SAFETY: consoles and ports of the machine stay while this program runs, which
    // connects and disconnects nothing.
    unsafe { boot::open_protocol(params, OpenProtocolAttributes::GetProtocol) }.ok()
}
