//! Messages: on the firmware's console, and on the first serial port where the
//! console does not go there by itself.

extern crate alloc;

use alloc::format;
use core::fmt::Write;

use uefi::Identify;
use uefi::boot::{self, OpenProtocolAttributes, OpenProtocolParams, ScopedProtocol};
use uefi::proto::console::serial::Serial;
use uefi::proto::console::text::Output;
use uefi::proto::device_path::{DevicePath, DeviceSubType, DeviceType};
use uefi::{Handle, system};

/// Where messages go.
pub(crate) struct Console {
    /// A port that the console does not reach.
    serial: Option<ScopedProtocol<Serial>>,
}

impl Console {
    /// Looks for a serial port beside the console.
    pub(crate) fn find() -> Self {
        let consoles = boot::find_handles::<Output>().unwrap_or_default();
        if consoles.into_iter().any(is_on_a_serial_port) {
            return Self { serial: None };
        }
        let ports = boot::find_handles::<Serial>().unwrap_or_default();
        Self { serial: ports.first().and_then(|port| open(*port)) }
    }

    /// Writes a line. A device that fails is passed over: there is no other to say it on.
    pub(crate) fn line(&mut self, text: &str) {
        let line = format!("pvh-loader: {text}\r\n");
        let _passed_over = system::with_stdout(|stdout| stdout.write_str(&line));
        if let Some(serial) = &mut self.serial {
            let _passed_over = serial.write_exact(line.as_bytes());
        }
    }

    /// Gives the port back, before the firmware is left.
    pub(crate) fn close(&mut self) {
        self.serial = None;
    }
}

/// Whether a console is a terminal on a UART.
fn is_on_a_serial_port(console: Handle) -> bool {
    open::<DevicePath>(console).is_some_and(|path| {
        path.node_iter()
            .any(|node| node.full_type() == (DeviceType::MESSAGING, DeviceSubType::MESSAGING_UART))
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
