//! I/O APICs, interrupt source overrides and NMIs.

use alloc::format;
use alloc::vec::Vec;

use acpi_gen::{
    InterruptOverride, IoApic, LocalNmi, NmiForm, NmiTarget, Polarity, ProcessorUid, Trigger,
};

use super::schema;
use crate::FileError;
use crate::source::{Source, Span};

/// Each list with the places that its errors name.
#[derive(Default)]
pub(super) struct Interrupts {
    pub(super) io_apics: Vec<IoApic>,
    pub(super) io_apic_spans: Vec<IoApicSpan>,
    pub(super) overrides: Vec<InterruptOverride>,
    pub(super) override_spans: Vec<Span>,
    pub(super) nmis: Vec<LocalNmi>,
    pub(super) nmi_spans: Vec<NmiSpan>,
}

pub(super) struct IoApicSpan {
    pub(super) id: Span,
    pub(super) address: Span,
    pub(super) gsi_base: Span,
}

pub(super) struct NmiSpan {
    pub(super) uid: Span,
    pub(super) lint: Span,
}

pub(super) fn read(source: &Source, file: &schema::File) -> Result<Interrupts, FileError> {
    let mut out = Interrupts::default();
    for io_apic in &file.ioapic {
        out.io_apics.push(IoApic {
            id: source.narrow("I/O APIC id", &io_apic.id)?,
            address: source.narrow("I/O APIC address", &io_apic.address)?,
            gsi_base: source.narrow("gsi_base", &io_apic.gsi_base)?,
        });
        out.io_apic_spans.push(IoApicSpan {
            id: io_apic.id.span(),
            address: io_apic.address.span(),
            gsi_base: io_apic.gsi_base.span(),
        });
    }
    for over in &file.overrides {
        out.overrides.push(InterruptOverride {
            source: source.narrow("source", &over.source)?,
            gsi: source.narrow("gsi", &over.gsi)?,
            polarity: polarity(over.polarity),
            trigger: trigger(over.trigger),
        });
        out.override_spans.push(over.source.span());
    }
    for nmi in &file.nmi {
        let target = match *nmi.uid.get_ref() {
            schema::NmiUid::All => NmiTarget::All,
            schema::NmiUid::Number(uid) => {
                NmiTarget::Uid(ProcessorUid(u32::try_from(uid).map_err(|_| {
                    let what = format!("NMI for processor {uid}, which does not exist");
                    source.fail(&nmi.uid.span(), what)
                })?))
            }
        };
        out.nmis.push(LocalNmi {
            target,
            lint: source.narrow("lint", &nmi.lint)?,
            polarity: polarity(nmi.polarity),
            trigger: trigger(nmi.trigger),
            form: NmiForm::AsProcessors,
        });
        out.nmi_spans.push(NmiSpan { uid: nmi.uid.span(), lint: nmi.lint.span() });
    }
    Ok(out)
}

fn polarity(polarity: schema::Polarity) -> Polarity {
    match polarity {
        schema::Polarity::Conforming => Polarity::Conforming,
        schema::Polarity::High => Polarity::High,
        schema::Polarity::Low => Polarity::Low,
    }
}

fn trigger(trigger: schema::Trigger) -> Trigger {
    match trigger {
        schema::Trigger::Conforming => Trigger::Conforming,
        schema::Trigger::Edge => Trigger::Edge,
        schema::Trigger::Level => Trigger::Level,
    }
}
