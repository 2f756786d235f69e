//! The files beside this program on the ESP.

extern crate alloc;

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use uefi::CString16;
use uefi::boot;
use uefi::fs::{Error, FileSystem, PathBuf};
use uefi::prelude::*;
use uefi::proto::device_path::DevicePathNodeEnum;
use uefi::proto::loaded_image::LoadedImage;

use crate::failure::Failure;

/// A folder of the volume that this program was loaded from.
pub(crate) struct Folder {
    volume: FileSystem,
    path: String,
}

impl Folder {
    /// The folder that this program is in.
    pub(crate) fn of_this_program() -> Result<Self, Failure> {
        let handle = boot::image_handle();
        let fail = |error: uefi::Error| {
            Failure::new(error.status(), "this program was not loaded from a volume with files")
        };
        let volume = FileSystem::new(boot::get_image_file_system(handle).map_err(fail)?);
        let image = boot::open_protocol_exclusive::<LoadedImage>(handle).map_err(fail)?;
        // The path may be split over several nodes (UEFI 2.10, 10.3.5.4).
        let nodes = image.file_path().into_iter().flat_map(|path| path.node_iter());
        let mut path = String::new();
        for node in nodes {
            if let Ok(DevicePathNodeEnum::MediaFilePath(part)) = node.as_enum() {
                let units: Vec<u16> =
                    part.path_name().iter().take_while(|unit| *unit != 0).collect();
                if !path.ends_with('\\') {
                    path.push('\\');
                }
                path.push_str(String::from_utf16_lossy(&units).trim_start_matches('\\'));
            }
        }
        path.truncate(path.rfind('\\').unwrap_or(0));
        Ok(Self { volume, path })
    }

    /// The folder's path on the volume.
    pub(crate) fn path(&self) -> &str {
        if self.path.is_empty() { "\\" } else { &self.path }
    }

    /// A file's bytes, or `None` where there is no such file.
    pub(crate) fn read(&mut self, name: &str) -> Result<Option<Vec<u8>>, Failure> {
        let path = format!("{}\\{name}", self.path);
        let fail = |error: &dyn core::fmt::Display| {
            Failure::new(Status::DEVICE_ERROR, format!("{path}: {error}"))
        };
        let on_volume =
            PathBuf::from(CString16::try_from(path.as_str()).map_err(|error| fail(&error))?);
        match self.volume.read(&on_volume) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(Error::Io(error)) if error.uefi_error.status() == Status::NOT_FOUND => Ok(None),
            Err(error) => Err(fail(&error)),
        }
    }
}
