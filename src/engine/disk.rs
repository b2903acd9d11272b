//! Room on disks.

use std::path::Path;

/// Free bytes of the disk that holds a path, or will; none where that can't be told.
#[must_use]
pub fn free(path: &Path) -> Option<u64> {
    let there = path.ancestors().find(|part| part.exists())?.canonicalize().ok()?;
    let disks = sysinfo::Disks::new_with_refreshed_list().ok()?;
    let holding = disks.iter().filter(|disk| there.starts_with(disk.mount_point()));
    let nearest = holding.max_by_key(|disk| disk.mount_point().components().count())?;
    Some(nearest.available_space())
}
