//! Matrix products against three loops.

use dojo_studio::engine::kernels::gemm::{GemmOutput, MatmulPrecision, Matrix, ProductTerm, Write, matmul};
use dojo_studio::engine::kernels::isa::has_bf16_products;
use half::bf16;
use proptest::prelude::*;

use super::{near, numbers};

fn at(matrix: &Matrix<'_>, i: usize, j: usize) -> f64 {
    f64::from(matrix.data[i * matrix.row_stride + j * matrix.column_stride])
}

fn plain(c: &[f32], stride: usize, write: Write, alpha: f32, terms: &[ProductTerm<'_>]) -> Vec<f32> {
    let mut out = c.to_vec();
    for i in 0..terms[0].a.rows {
        for j in 0..terms[0].b.columns {
            let sum: f64 = terms
                .iter()
                .map(|term| (0..term.a.columns).map(|k| at(&term.a, i, k) * at(&term.b, k, j)).sum::<f64>())
                .sum();
            let before = if write == Write::Add { f64::from(c[i * stride + j]) } else { 0.0 };
            out[i * stride + j] = (before + f64::from(alpha) * sum) as f32;
        }
    }
    out
}

fn view(data: &[f32], rows: usize, columns: usize, turned: bool) -> Matrix<'_> {
    if turned { Matrix::new(data, columns, rows).transposed() } else { Matrix::new(data, rows, columns) }
}

fn check(rows: usize, depths: (usize, usize), columns: usize, turned: (bool, bool), write: Write) {
    let (first, second) = depths;
    let data: Vec<Vec<f32>> = [rows * first, first * columns, rows * second, second * columns]
        .into_iter()
        .enumerate()
        .map(|(seed, count)| numbers(seed as u64 + 1, count))
        .collect();
    let terms = [
        ProductTerm::new(view(&data[0], rows, first, turned.0), view(&data[1], first, columns, turned.1)),
        ProductTerm::new(view(&data[2], rows, second, turned.1), view(&data[3], second, columns, turned.0)),
    ];
    let stride = columns + 3;
    let mut c = numbers(9, rows * stride);
    let expected = plain(&c, stride, write, 0.5, &terms);
    matmul(GemmOutput { data: &mut c, stride, write }, 0.5, &terms);
    near("product", &c, &expected, 1e-5);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn two_terms_of_any_shape_and_orientation_sum_as_three_loops_do(
        rows in 1usize..140,
        first in 1usize..60,
        second in 1usize..20,
        columns in 1usize..120,
        turned in (any::<bool>(), any::<bool>()),
        add in any::<bool>(),
    ) {
        check(rows, (first, second), columns, turned, if add { Write::Add } else { Write::Replace });
    }
}

#[test]
fn a_depth_of_several_passes_and_a_width_of_several_slices_sum_as_three_loops_do() {
    check(70, (1500, 16), 50, (false, true), Write::Replace);
    check(3, (1300, 8), 70, (true, false), Write::Add);
    check(66, (20, 4), 3100, (false, true), Write::Replace);
}

#[test]
fn a_product_repeats_bit_for_bit() {
    let (a, b) = (numbers(1, 200 * 700), numbers(2, 700 * 100));
    let product = || {
        let mut c = vec![0.0; 200 * 100];
        let term = ProductTerm::new(Matrix::new(&a, 200, 700), Matrix::new(&b, 700, 100));
        matmul(GemmOutput { data: &mut c, stride: 100, write: Write::Replace }, 1.0, &[term]);
        c.into_iter().map(f32::to_bits).collect::<Vec<_>>()
    };
    assert_eq!(product(), product());
}

/// MatmulPrecision of bf16 against three loops over numbers rounded beforehand; few rows are in f32 and not of interest here.
fn check_bf16(rows: usize, depths: (usize, usize), columns: usize, turned: (bool, bool)) {
    let (first, second) = depths;
    let exact: Vec<Vec<f32>> = [rows * first, first * columns, rows * second, second * columns]
        .into_iter()
        .enumerate()
        .map(|(seed, count)| numbers(seed as u64 + 1, count))
        .collect();
    let rounded: Vec<Vec<f32>> =
        exact.iter().map(|all| all.iter().map(|&x| bf16::from_f32(x).to_f32()).collect()).collect();
    fn terms<'a>(data: &'a [Vec<f32>], sizes: [usize; 4], turned: (bool, bool)) -> [ProductTerm<'a>; 2] {
        let [rows, first, second, columns] = sizes;
        [
            ProductTerm::new(view(&data[0], rows, first, turned.0), view(&data[1], first, columns, turned.1)),
            ProductTerm::new(
                view(&data[2], rows, second, turned.1),
                view(&data[3], second, columns, turned.0),
            ),
        ]
    }
    let sizes = [rows, first, second, columns];
    let mut c = vec![0.0; rows * columns];
    let expected = plain(&c, columns, Write::Replace, 0.5, &terms(&rounded, sizes, turned));
    MatmulPrecision::Bf16.matmul(
        GemmOutput { data: &mut c, stride: columns, write: Write::Replace },
        0.5,
        &terms(&exact, sizes, turned),
    );
    near("product of bf16", &c, &expected, 1e-5);
}

#[test]
fn products_of_bf16_sum_numbers_rounded_to_nearest_even() {
    if !has_bf16_products() {
        println!("left out: this processor has no AVX512-BF16");
        return;
    }
    for turned in [(false, false), (false, true), (true, false), (true, true)] {
        check_bf16(70, (33, 7), 50, turned);
        check_bf16(130, (1500, 16), 97, turned);
        check_bf16(65, (1, 1), 1, turned);
        check_bf16(66, (64, 4), 3100, turned);
    }
}
