//! `[distance]`: a matrix in the order of the nodes, or rows by proximity domain.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use alloc::collections::BTreeMap;

use acpi_gen::{Distance, ProximityDomain};
use toml::Spanned;

use super::nodes::NodePlace;
use super::remarks::{self, Remark};
use super::schema::{self, DistanceValue, MatrixRow};
use crate::FileError;
use crate::number;
use crate::source::{Source, Span};

/// What the library takes, and where the cells stand that the file has.
#[derive(Default)]
pub(super) struct Distances {
    /// Ascending.
    pub(super) domains: Vec<ProximityDomain>,
    pub(super) matrix: Vec<Distance>,
    pub(super) spans: BTreeMap<(ProximityDomain, ProximityDomain), Span>,
    /// Remarks on those that do not fit a byte.
    pub(super) clamped: Vec<Remark>,
}

type Cells = BTreeMap<(ProximityDomain, ProximityDomain), (Distance, Span)>;

pub(super) fn read(
    source: &Source,
    distance: &schema::Distance,
    nodes: &[NodePlace],
) -> Result<Distances, FileError> {
    let cells = match (&distance.matrix, distance.rows.first()) {
        (Some(_), Some((row, _))) => {
            let what = format!(
                "[distance] has a matrix and a row \"{}\": one of both ways is right",
                row.get_ref()
            );
            return Err(source.fail(&row.span(), what));
        }
        (Some(matrix), None) => matrix_cells(source, matrix, nodes)?,
        (None, _) => row_cells(source, distance, nodes)?,
    };
    // Only named domains: a file with many nodes and few distances stays small.
    let mut domains: Vec<_> = cells.keys().flat_map(|&(from, to)| [from, to]).collect();
    domains.sort_unstable();
    domains.dedup();
    let matrix = domains
        .iter()
        .flat_map(|&from| domains.iter().map(move |&to| (from, to)))
        .map(|(from, to)| match cells.get(&(from, to)) {
            Some(&(distance, _)) => distance,
            None if from == to => Distance::LOCAL,
            None => Distance::REMOTE,
        })
        .collect();
    let spans = cells.into_iter().map(|(pair, (_, span))| (pair, span)).collect();
    let of_matrix = distance.matrix.iter().flat_map(|rows| rows.get_ref());
    let of_matrix = of_matrix.flat_map(|row| row.get_ref());
    let of_rows = distance.rows.iter().flat_map(|(_, row)| row.values());
    let clamped = of_matrix.chain(of_rows).filter_map(remarks::clamped).collect();
    Ok(Distances { domains, matrix, spans, clamped })
}

fn value(value: &Spanned<DistanceValue>) -> (Distance, Span) {
    let distance = match *value.get_ref() {
        DistanceValue::Number(number) => {
            Distance::clamped(u32::try_from(number).unwrap_or(u32::MAX))
        }
        DistanceValue::Unreachable => Distance::UNREACHABLE,
    };
    (distance, value.span())
}

fn matrix_cells(
    source: &Source,
    matrix: &Spanned<Vec<MatrixRow>>,
    nodes: &[NodePlace],
) -> Result<Cells, FileError> {
    let rows = matrix.get_ref();
    let n = nodes.len();
    if rows.len() != n {
        let what =
            format!("matrix has {} rows for {n} nodes: one for each node is right", rows.len());
        return Err(source.fail(&matrix.span(), what));
    }
    let mut cells = Cells::new();
    for (from, row) in nodes.iter().zip(rows) {
        if row.get_ref().len() != n {
            let what = format!(
                "matrix row of pxm {} has {} distances for {n} nodes: one for each node is right",
                from.domain.0,
                row.get_ref().len()
            );
            return Err(source.fail(&row.span(), what));
        }
        for (to, distance) in nodes.iter().zip(row.get_ref()) {
            cells.insert((from.domain, to.domain), value(distance));
        }
    }
    Ok(cells)
}

fn row_cells(
    source: &Source,
    distance: &schema::Distance,
    nodes: &[NodePlace],
) -> Result<Cells, FileError> {
    let domain = |key: &Spanned<String>| {
        let known = number::parse(key.get_ref())
            .ok()
            .and_then(|pxm| nodes.iter().find(|node| u64::from(node.domain.0) == pxm));
        known.map(|node| node.domain).ok_or_else(|| {
            let what = format!("[distance] names \"{}\", which no node has as pxm", key.get_ref());
            source.fail(&key.span(), what)
        })
    };
    let mut cells = Cells::new();
    for (from_key, row) in &distance.rows {
        let from = domain(from_key)?;
        for (to_key, distance) in row {
            let to = domain(to_key)?;
            if cells.insert((from, to), value(distance)).is_some() {
                let what =
                    format!("distance from {} to {} stands twice: once is right", from.0, to.0);
                return Err(source.fail(&to_key.span(), what));
            }
        }
    }
    Ok(cells)
}
