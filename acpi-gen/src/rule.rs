//! Rules: one declaration gives an error's variant, its message, and what C sees of it.

/// An error number as in Linux's and Xen's errno.h.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub enum Errno {
    /// Not the hardware domain.
    EPERM = 1,
    /// More elements than a call takes.
    E2BIG = 7,
    /// No memory for a guest's frame.
    ENOMEM = 12,
    /// An invalid argument.
    EINVAL = 22,
    /// A number that does not fit.
    ERANGE = 34,
    /// A caller-provided buffer that is too short.
    ENOBUFS = 105,
}

impl Errno {
    /// The number, positive.
    #[must_use]
    #[expect(clippy::as_conversions, reason = "the enum's own representation")]
    pub const fn number(self) -> i32 {
        self as i32
    }
}

/// A rule as C sees it.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// Its number, which does not change.
    pub code: u32,
    /// The variant's name.
    pub name: &'static str,
    /// Its message, in which `%i` and `%v` are the violation's index and value in decimal,
    /// `%I` and `%V` in hexadecimal.
    pub text: &'static str,
}

/// A broken rule in numbers, as C and the callers of hypercalls see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The error number that a function returns for it.
    pub errno: Errno,
    /// The rule's number.
    pub code: u32,
    /// An element, or a bound.
    pub index: u64,
    /// The number that is wrong.
    pub value: u64,
}

/// Declares a library's error. After each variant: its number, error number, index and value
/// of the [`Violation`], the message of the [`Rule`], and the arguments of `write!` for the
/// message with all numbers.
#[macro_export]
macro_rules! rules {
    (
        $(#[doc = $about:literal])+
        pub enum $Error:ident;
        $(
            $(#[doc = $doc:literal])+
            $name:ident $({ $($(#[doc = $of:literal])+ $field:ident: $type:ty),+ $(,)? })?
            = $code:literal $errno:ident ($index:expr, $value:expr) $text:literal,
            ($($message:tt)+);
        )+
    ) => {
        $(#[doc = $about])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum $Error {
            $($(#[doc = $doc])+ $name $({ $($(#[doc = $of])+ $field: $type),+ })?),+
        }

        impl $Error {
            /// Every rule, in the order of their numbers.
            pub const RULES: &'static [$crate::Rule] =
                &[$($crate::Rule { code: $code, name: stringify!($name), text: $text }),+];

            /// The message of the rule with this number.
            #[must_use]
            pub fn text(code: u32) -> Option<&'static str> {
                // Not RULES: an object without debug information needs no names.
                const TEXTS: &[(u32, &str)] = &[$(($code, $text)),+];
                TEXTS.iter().find(|rule| rule.0 == code).map(|rule| rule.1)
            }
        }

        impl From<$Error> for $crate::Violation {
            fn from(error: $Error) -> Self {
                let (errno, code, index, value) = match error {
                    $($Error::$name $({ $($field),+ })? => {
                        $(let _unused = ($(&$field),+);)?
                        ($crate::Errno::$errno, $code, $index, $value)
                    }),+
                };
                Self { errno, code, index, value }
            }
        }

        impl core::fmt::Display for $Error {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                match *self {
                    $(Self::$name $({ $($field),+ })? => write!(f, $($message)+)),+
                }
            }
        }

        impl core::error::Error for $Error {}
    };
}
