//! The text that values came from, for errors that name their line.

use alloc::format;
use alloc::string::String;

use core::ops::Range;

use toml::Spanned;

use crate::FileError;
use crate::number::Number;

/// Where a value stands, as bytes of the text.
pub(super) type Span = Range<usize>;

pub(super) struct Source {
    pub(super) text: String,
}

impl Source {
    /// The line that a place is on, from 1.
    pub(super) fn line(&self, span: &Span) -> usize {
        let before = self.text.as_bytes().get(..span.start).unwrap_or(self.text.as_bytes());
        before.iter().filter(|&&byte| byte == b'\n').count().saturating_add(1)
    }

    pub(super) fn fail(&self, span: &Span, what: impl Into<String>) -> FileError {
        FileError { line: self.line(span), what: what.into() }
    }

    /// A number that a narrower field takes.
    pub(super) fn narrow<T: TryFrom<u64> + Highest>(
        &self,
        name: &str,
        value: &Spanned<Number>,
    ) -> Result<T, FileError> {
        let Number(number) = *value.get_ref();
        T::try_from(number).map_err(|_| {
            self.fail(&value.span(), format!("{name} {number}: 0 to {} is right", T::HIGHEST))
        })
    }
}

/// The highest value of a field's type, for messages.
pub(super) trait Highest {
    const HIGHEST: u32;
}

impl Highest for u8 {
    const HIGHEST: u32 = 0xFF;
}

impl Highest for u32 {
    const HIGHEST: u32 = Self::MAX;
}
