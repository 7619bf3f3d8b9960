import COpenBLAS

/// A view of rows of float32s in memory that someone else owns and keeps alive.
struct Matrix {
    let start: UnsafeMutablePointer<Float>
    let rows: Int
    let columns: Int
    /// The distance from a row's start to the next one's, in elements.
    let stride: Int

    /// Views `rows` x `columns` consecutive elements from `start`, row by row.
    init(_ start: UnsafeMutablePointer<Float>, rows: Int, columns: Int) {
        self.init(start, rows: rows, columns: columns, stride: columns)
    }

    private init(_ start: UnsafeMutablePointer<Float>, rows: Int, columns: Int, stride: Int) {
        self.start = start
        self.rows = rows
        self.columns = columns
        self.stride = stride
    }

    /// The view of some of the rows.
    func rows(_ range: Range<Int>) -> Matrix {
        precondition(range.lowerBound >= 0 && range.upperBound <= rows, "rows \(range) of \(rows)")
        return Matrix(start + range.lowerBound * stride, rows: range.count, columns: columns, stride: stride)
    }

    /// The view of some of the columns.
    func columns(_ range: Range<Int>) -> Matrix {
        precondition(range.lowerBound >= 0 && range.upperBound <= columns, "columns \(range) of \(columns)")
        return Matrix(start + range.lowerBound, rows: rows, columns: range.count, stride: stride)
    }

    /// The start of one row.
    subscript(row row: Int) -> UnsafeMutablePointer<Float> { start + row * stride }
}

extension Matrix {
    /// A matrix as it takes part in a product.
    enum Factor {
        case plain(Matrix)
        /// Rows as columns and columns as rows; nothing is moved.
        case transposed(Matrix)

        fileprivate var rows: Int {
            switch self {
            case .plain(let matrix): matrix.rows
            case .transposed(let matrix): matrix.columns
            }
        }

        fileprivate var columns: Int {
            switch self {
            case .plain(let matrix): matrix.columns
            case .transposed(let matrix): matrix.rows
            }
        }

        fileprivate var matrix: Matrix {
            switch self {
            case .plain(let matrix), .transposed(let matrix): matrix
            }
        }

        fileprivate var operation: CBLAS_TRANSPOSE {
            switch self {
            case .plain: CblasNoTrans
            case .transposed: CblasTrans
            }
        }
    }

    /// Sets this matrix to the product of two others, or adds the product to it. OpenBLAS computes it.
    func setProduct(_ left: Factor, _ right: Factor, adding: Bool = false) {
        let inner = left.columns
        precondition(
            left.rows == rows && right.columns == columns && right.rows == inner,
            "a product of \(left.rows) x \(inner) and \(right.rows) x \(right.columns) in \(rows) x \(columns)"
        )
        if rows == 0 || columns == 0 { return }
        if inner == 0 {
            // An empty sum. BLAS implementations differ in whether they write it.
            if !adding { for row in 0..<rows { self[row: row].update(repeating: 0, count: columns) } }
            return
        }
        cblas_sgemm(
            CblasRowMajor, left.operation, right.operation, Int32(rows), Int32(columns), Int32(inner),
            1, left.matrix.start, Int32(left.matrix.stride), right.matrix.start, Int32(right.matrix.stride),
            adding ? 1 : 0, start, Int32(stride))
    }

    /// Sets every row to `values`, one a column.
    func setRows(to values: UnsafePointer<Float>) {
        for row in 0..<rows { self[row: row].update(from: values, count: columns) }
    }

    /// Sets `sums`, one element a column, to the sum of the rows.
    func sumRows(into sums: UnsafeMutablePointer<Float>) {
        sums.update(repeating: 0, count: columns)
        for row in 0..<rows {
            let values = self[row: row]
            for column in 0..<columns { sums[column] += values[column] }
        }
    }

    /// Replaces negative elements by 0: the rectifier. NaN stays, so that a training run that diverges shows it.
    func rectify() {
        for row in 0..<rows {
            let values = self[row: row]
            for column in 0..<columns { values[column] = values[column] < 0 ? 0 : values[column] }
        }
    }

    /// Clears the elements where the rectifier's `output` is 0: the rectifier's derivative.
    func clearWhereZero(_ output: Matrix) {
        precondition(
            output.rows == rows && output.columns == columns, "sizes of a rectifier and its gradient")
        for row in 0..<rows {
            let (values, rectified) = (self[row: row], output[row: row])
            for column in 0..<columns { values[column] = rectified[column] == 0 ? 0 : values[column] }
        }
    }

    /// Sets the number of threads that matrix products use in this process.
    static func setThreads(_ count: Int) {
        openblas_set_num_threads(Int32(clamping: count))
    }
}
