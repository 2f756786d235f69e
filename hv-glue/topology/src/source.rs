//! The text that values came from, for errors that name their line.

use alloc::format;
use alloc::string::String;

use core::ops::Range;

use acpi_gen::ProximityDomain;
use serde::de::DeserializeOwned;
pub use toml::Spanned;

use crate::FileError;
use crate::limits::HIGHEST_PXM;
use crate::number::Number;

/// Where a value stands, as bytes of the text.
pub type Span = Range<usize>;

/// A file's text.
pub struct Source {
    text: String,
}

impl Source {
    /// The text of a file's bytes.
    ///
    /// # Errors
    /// Where they are not UTF-8, as TOML is.
    pub fn new(bytes: &[u8]) -> Result<Self, FileError> {
        let text = str::from_utf8(bytes).map_err(|error| {
            let valid = bytes.get(..error.valid_up_to()).unwrap_or_default();
            let newlines = valid.iter().filter(|&&byte| byte == b'\n').count();
            let line = newlines.saturating_add(1);
            FileError { line, what: String::from("is not UTF-8, as TOML is") }
        })?;
        Ok(Self { text: String::from(text) })
    }

    /// The text itself.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The text as TOML.
    ///
    /// # Errors
    /// What is wrong with it, and its line.
    pub fn toml<T: DeserializeOwned>(&self) -> Result<T, FileError> {
        toml::from_str(&self.text).map_err(|error| {
            // Only the first line: the rest of a syntax error draws the place, which the line names.
            let what = error.message().replace('\n', ", ");
            self.fail(&error.span().unwrap_or(0..0), what)
        })
    }

    /// The line that a place is on, from 1.
    #[must_use]
    pub fn line(&self, span: &Span) -> usize {
        let before = self.text.as_bytes().get(..span.start).unwrap_or(self.text.as_bytes());
        before.iter().filter(|&&byte| byte == b'\n').count().saturating_add(1)
    }

    /// What is wrong at a place.
    #[must_use]
    pub fn fail(&self, span: &Span, what: impl Into<String>) -> FileError {
        FileError { line: self.line(span), what: what.into() }
    }

    /// A number that a narrower field takes.
    ///
    /// # Errors
    /// The field's name, the number and what would be right.
    pub fn narrow<T: TryFrom<u64> + Highest>(
        &self,
        name: &str,
        value: &Spanned<Number>,
    ) -> Result<T, FileError> {
        self.up_to(T::HIGHEST, name, value)
    }

    /// A proximity domain: 0 to 1,023.
    ///
    /// # Errors
    /// The number and what would be right.
    pub fn domain(&self, value: &Spanned<Number>) -> Result<ProximityDomain, FileError> {
        self.up_to(HIGHEST_PXM, "pxm", value).map(ProximityDomain)
    }

    fn up_to<T: TryFrom<u64>>(
        &self,
        highest: u32,
        name: &str,
        value: &Spanned<Number>,
    ) -> Result<T, FileError> {
        let Number(number) = *value.get_ref();
        T::try_from(number).ok().filter(|_| number <= u64::from(highest)).ok_or_else(|| {
            self.fail(&value.span(), format!("{name} {number}: 0 to {highest} is right"))
        })
    }
}

/// The highest value of a field's type, for messages.
pub trait Highest {
    /// The value.
    const HIGHEST: u32;
}

impl Highest for u8 {
    const HIGHEST: u32 = 0xFF;
}

impl Highest for u32 {
    const HIGHEST: u32 = Self::MAX;
}
