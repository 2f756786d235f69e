//! The first serial port, the 8259s and the machine's reset: all the hardware that the
//! stage touches by itself.

use core::arch::asm;
use core::fmt;

/// COM1's registers: data, and line status with "transmitter empty".
const DATA: u16 = 0x3F8;
const STATUS: u16 = DATA + 5;
const EMPTY: u8 = 1 << 5;
/// The mask registers of both 8259s, and every line masked.
const MASKS: [u16; 2] = [0x21, 0xA1];
const ALL: u8 = 0xFF;
/// The reset control register of PC chipsets, and "reset, by a pulse".
const RESET: u16 = 0xCF9;
const PULSE: u8 = 6;

/// The first serial port as a hypervisor gives it: no set-up, no interrupts.
pub(crate) struct Serial;

impl fmt::Write for Serial {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            if byte == b'\n' {
                send(b'\r');
            }
            send(byte);
        }
        Ok(())
    }
}

fn send(byte: u8) {
    // A port that is not there reads as 0xFF, so this ends.
    while input(STATUS) & EMPTY == 0 {}
    output(DATA, byte);
}

/// Silences the 8259s. Firmware leaves the timer's line open, with a vector that is an
/// exception's, and a guest whose FADT is hardware-reduced does not know of them.
pub(crate) fn mask_interrupts() {
    for register in MASKS {
        output(register, ALL);
    }
}

/// Resets the machine, or stops where nothing does that.
pub(crate) fn reset() -> ! {
    output(RESET, PULSE);
    loop {
        // SAFETY: interrupts are off, so the processor stops here; nothing else is done.
        unsafe { asm!("cli", "hlt", options(nomem, nostack)) };
    }
}

fn input(port: u16) -> u8 {
    let value;
    // SAFETY: reading COM1's line status changes nothing in memory.
    unsafe { asm!("in al, dx", in("dx") port, out("al") value, options(nomem, nostack)) };
    value
}

fn output(port: u16, value: u8) {
    // SAFETY: COM1's data register, the 8259s' masks and the reset register have no effect
    // on this program's memory.
    unsafe { asm!("out dx, al", in("dx") port, in("al") value, options(nomem, nostack)) };
}
