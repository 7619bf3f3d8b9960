import Testing

@testable import RingTrainCommand

@Suite struct MatrixTests {
    struct Shape: Sendable, CustomTestStringConvertible {
        var rows: Int
        var columns: Int
        var inner: Int
        var testDescription: String { "\(rows) x \(inner) x \(columns)" }
    }

    static let shapes = [0, 1, 2, 5, 17].flatMap { rows in
        [1, 3, 16].flatMap { columns in
            [0, 1, 4, 33].map { Shape(rows: rows, columns: columns, inner: $0) }
        }
    }

    @Test(arguments: shapes)
    func productsMatchTheDefinition(shape: Shape) {
        for (leftTransposed, rightTransposed, adding) in [
            (false, false, false), (false, false, true), (true, false, false), (true, false, true),
            (false, true, false), (true, true, true),
        ] {
            let (rows, columns, inner) = (shape.rows, shape.columns, shape.inner)
            let left = FloatBuffer(RandomData.floats(rows * inner, seed: 1))
            let right = FloatBuffer(RandomData.floats(inner * columns, seed: 2))
            let before = RandomData.floats(rows * columns, seed: 3)
            let result = FloatBuffer(before)
            let leftMatrix = Matrix(
                left.start, rows: leftTransposed ? inner : rows, columns: leftTransposed ? rows : inner)
            let rightMatrix = Matrix(
                right.start, rows: rightTransposed ? columns : inner,
                columns: rightTransposed ? inner : columns)
            Matrix(result.start, rows: rows, columns: columns).setProduct(
                leftTransposed ? .transposed(leftMatrix) : .plain(leftMatrix),
                rightTransposed ? .transposed(rightMatrix) : .plain(rightMatrix), adding: adding)
            let (leftValues, rightValues, values) = (left.values, right.values, result.values)
            for row in 0..<rows {
                for column in 0..<columns {
                    var sum = adding ? Double(before[row * columns + column]) : 0
                    for index in 0..<inner {
                        let a = leftValues[leftTransposed ? index * rows + row : row * inner + index]
                        let b = rightValues[
                            rightTransposed ? column * inner + index : index * columns + column]
                        sum += Double(a) * Double(b)
                    }
                    #expect(abs(Double(values[row * columns + column]) - sum) < 1e-5)
                }
            }
        }
    }

    @Test func productsWorkOnPartsOfMatrices() {
        let left = FloatBuffer(RandomData.floats(4 * 6, seed: 1))
        let right = FloatBuffer(RandomData.floats(4 * 3, seed: 2))
        let whole = FloatBuffer(count: 6 * 3)
        let parts = FloatBuffer(count: 6 * 3)
        let (leftMatrix, rightMatrix) = (
            Matrix(left.start, rows: 4, columns: 6), Matrix(right.start, rows: 4, columns: 3)
        )
        let target = Matrix(parts.start, rows: 6, columns: 3)
        Matrix(whole.start, rows: 6, columns: 3).setProduct(.transposed(leftMatrix), .plain(rightMatrix))
        for range in [0..<1, 1..<5, 5..<6] {
            target.rows(range).setProduct(.transposed(leftMatrix.columns(range)), .plain(rightMatrix))
        }
        for (part, expected) in zip(parts.values, whole.values) { #expect(abs(part - expected) < 1e-6) }
    }

    @Test func rowsAreSetAndSummed() {
        let buffer = FloatBuffer(count: 6)
        let matrix = Matrix(buffer.start, rows: 2, columns: 3)
        let row = FloatBuffer([1, 2, 3])
        matrix.setRows(to: row.start)
        #expect(buffer.values == [1, 2, 3, 1, 2, 3])
        buffer.elements[4] = 10
        let sums = FloatBuffer([9, 9, 9])
        matrix.sumRows(into: sums.start)
        #expect(sums.values == [2, 12, 6])
        Matrix(buffer.start, rows: 0, columns: 3).sumRows(into: sums.start)
        #expect(sums.values == [0, 0, 0])
    }

    @Test func theRectifierKeepsWhatIsAboveZeroAndWhatIsNoNumber() {
        let buffer = FloatBuffer([-1, 0, 2, .nan, -.infinity, .infinity])
        let gradient = FloatBuffer([1, 2, 3, 4, 5, 6])
        let matrix = Matrix(buffer.start, rows: 2, columns: 3)
        matrix.rectify()
        #expect(Array(buffer.values[..<3]) == [0, 0, 2])
        #expect(buffer.values[3].isNaN && buffer.values[4] == 0 && buffer.values[5] == .infinity)
        Matrix(gradient.start, rows: 2, columns: 3).clearWhereZero(matrix)
        #expect(gradient.values == [0, 0, 3, 4, 0, 6])
    }
}
