//! Arguments of a C function: each array on its own and exactly as long as is
//! said, so that AddressSanitizer sees a byte too many, or not as it should be.

use std::any::Any;

use arbitrary::Arbitrary;

use crate::encode::{Encode, variant};

/// The form of an argument.
#[derive(Arbitrary, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// As the interface asks for.
    #[default]
    Right,
    /// A null pointer.
    Null,
    /// One byte too far.
    Misaligned,
    /// In memory that other arguments use, too.
    Shared,
}

impl Encode for Form {
    fn encode(&self, to: &mut Vec<u8>) {
        let index = match self {
            Self::Right => 0,
            Self::Null => 1,
            Self::Misaligned => 2,
            Self::Shared => 3,
        };
        variant(index, 4, to);
    }
}

const SHARED_WORDS: usize = 4096;

/// The arguments of one call.
pub struct Arguments<'i> {
    how: &'i [Form],
    next: usize,
    kept: Vec<Box<dyn Any>>,
    shared: Vec<u64>,
    /// Whether an argument has another form than the interface asks for.
    pub wrong: bool,
    /// Whether an argument is null where there are elements, or misaligned, which no call
    /// takes.
    pub hopeless: bool,
}

impl<'i> Arguments<'i> {
    /// The n-th argument has the n-th of these forms; those behind, the right one.
    pub fn new(how: &'i [Form]) -> Self {
        Self {
            how,
            next: 0,
            kept: Vec::new(),
            shared: vec![0; SHARED_WORDS],
            wrong: false,
            hopeless: false,
        }
    }

    /// An array with these elements, in the form of the next argument.
    pub fn array<T: Copy + 'static>(&mut self, elements: &[T]) -> *mut T {
        let how = self.how.get(self.next).copied().unwrap_or_default();
        self.next += 1;
        let size = size_of_val(elements);
        let fits = size <= size_of_val(self.shared.as_slice());
        match how {
            Form::Null => {
                self.wrong = true;
                self.hopeless |= size > 0;
                std::ptr::null_mut()
            }
            Form::Misaligned if align_of::<T>() > 1 => {
                self.wrong = true;
                self.hopeless = true;
                let mut words = vec![0_u64; size / 8 + 2];
                let pointer = words.as_mut_ptr().cast::<u8>().wrapping_add(1).cast();
                self.kept.push(Box::new(words));
                pointer
            }
            Form::Shared if fits && align_of::<T>() <= 8 => {
                self.wrong = true;
                let pointer = self.shared.as_mut_ptr().cast::<T>();
                // SAFETY: aligned for 8, as long as the elements by the guard, and
                // apart from them: they are the caller's.
                unsafe {
                    std::ptr::copy_nonoverlapping(elements.as_ptr(), pointer, elements.len())
                };
                pointer
            }
            _ => {
                let mut boxed: Box<[T]> = elements.into();
                let pointer = boxed.as_mut_ptr();
                self.kept.push(Box::new(boxed));
                pointer
            }
        }
    }

    /// A pointer to memory that exists already, in the form of the next argument.
    pub fn existing<T>(&mut self, pointer: *mut T) -> *mut T {
        let how = self.how.get(self.next).copied().unwrap_or_default();
        self.next += 1;
        self.wrong |= how != Form::Right;
        match how {
            Form::Right => pointer,
            Form::Null => std::ptr::null_mut(),
            Form::Misaligned => pointer.wrapping_byte_add(1),
            Form::Shared => self.shared.as_mut_ptr().cast(),
        }
    }

    /// The forms of the arguments that are not made yet.
    pub fn rest(&self) -> &'i [Form] {
        self.how.get(self.next..).unwrap_or_default()
    }

    /// One structure.
    pub fn value<T: Copy + 'static>(&mut self, value: T) -> *mut T {
        self.array(&[value])
    }
}

/// The elements of an array that has the right form.
///
/// # Safety
/// `pointer` came from [`Arguments::array`] with at least `len` elements, its arguments
/// are still there, and [`Arguments::wrong`] is false.
pub unsafe fn read<T: Copy>(pointer: *const T, len: usize) -> Vec<T> {
    if len == 0 {
        return Vec::new();
    }
    // SAFETY: by this function's contract.
    unsafe { std::slice::from_raw_parts(pointer, len) }.to_vec()
}
