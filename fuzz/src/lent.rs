//! Memory that a C caller lends: each array on its own and exactly as long as is
//! said, so that AddressSanitizer sees a byte too many, or not as it should be.

use std::any::Any;

use arbitrary::Arbitrary;

use crate::encode::{Encode, variant};

/// How an argument is lent.
#[derive(Arbitrary, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum How {
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

impl Encode for How {
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

/// Everything that one call was lent.
pub struct Lender<'i> {
    how: &'i [How],
    next: usize,
    kept: Vec<Box<dyn Any>>,
    shared: Vec<u64>,
    /// Whether an argument was lent otherwise than as asked for.
    pub wrong: bool,
    /// Whether an argument was lent as no call takes it: null where there are
    /// elements, or misaligned.
    pub hopeless: bool,
}

impl<'i> Lender<'i> {
    /// A lender whose n-th argument is lent as `how` says; those behind, right.
    pub fn new(how: &'i [How]) -> Self {
        Self {
            how,
            next: 0,
            kept: Vec::new(),
            shared: vec![0; SHARED_WORDS],
            wrong: false,
            hopeless: false,
        }
    }

    /// The elements, lent as the next argument is to be.
    pub fn lend<T: Copy + 'static>(&mut self, elements: &[T]) -> *mut T {
        let how = self.how.get(self.next).copied().unwrap_or_default();
        self.next += 1;
        let size = size_of_val(elements);
        let fits = size <= size_of_val(self.shared.as_slice());
        match how {
            How::Null => {
                self.wrong = true;
                self.hopeless |= size > 0;
                std::ptr::null_mut()
            }
            How::Misaligned if align_of::<T>() > 1 => {
                self.wrong = true;
                self.hopeless = true;
                let mut words = vec![0_u64; size / 8 + 2];
                let pointer = words.as_mut_ptr().cast::<u8>().wrapping_add(1).cast();
                self.kept.push(Box::new(words));
                pointer
            }
            How::Shared if fits && align_of::<T>() <= 8 => {
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

    /// What stands elsewhere already: itself, or as the next argument is to be.
    pub fn lend_at<T>(&mut self, pointer: *mut T) -> *mut T {
        let how = self.how.get(self.next).copied().unwrap_or_default();
        self.next += 1;
        self.wrong |= how != How::Right;
        match how {
            How::Right => pointer,
            How::Null => std::ptr::null_mut(),
            How::Misaligned => pointer.wrapping_byte_add(1),
            How::Shared => self.shared.as_mut_ptr().cast(),
        }
    }

    /// How the arguments are to be lent that nobody has asked for yet.
    pub fn rest(&self) -> &'i [How] {
        self.how.get(self.next..).unwrap_or_default()
    }

    /// One structure.
    pub fn lend_one<T: Copy + 'static>(&mut self, value: T) -> *mut T {
        self.lend(&[value])
    }
}

/// What stands behind a pointer that was lent right.
///
/// # Safety
/// `pointer` came from [`Lender::lend`] with at least `len` elements, its lender
/// is still there, and [`Lender::wrong`] is false.
pub unsafe fn read<T: Copy>(pointer: *const T, len: usize) -> Vec<T> {
    if len == 0 {
        return Vec::new();
    }
    // SAFETY: by this function's contract.
    unsafe { std::slice::from_raw_parts(pointer, len) }.to_vec()
}
