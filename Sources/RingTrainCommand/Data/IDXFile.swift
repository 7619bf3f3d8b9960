/// A file in the IDX format of the MNIST family: a big-endian header, then unsigned bytes.
///
/// The header is two zero bytes, the element type (8 for unsigned bytes), the number of dimensions, and each
/// dimension in four bytes. The format is described at the end of http://yann.lecun.com/exdb/mnist/.
struct IDXFile: Equatable {
    /// The size of each dimension, outermost first.
    let dimensions: [Int]
    /// The elements, the last dimension varying fastest.
    let elements: [UInt8]

    /// Reads the file at `path`, gzip or not.
    ///
    /// It throws a ``DataError`` unless the file has exactly `dimensionCount` dimensions and exactly as many
    /// bytes as they ask for.
    init(path: String, dimensionCount: Int) throws {
        let bytes = try GzipReader.contents(ofFile: path, limit: Self.largestFile)
        try self.init(bytes: bytes, path: path, dimensionCount: dimensionCount)
    }

    /// Reads a file's bytes; `path` names it in errors.
    init(bytes: [UInt8], path: String, dimensionCount: Int) throws {
        guard bytes.count >= 4 else {
            throw DataError(path, "is truncated: \(bytes.count) bytes cannot hold an IDX header")
        }
        guard bytes[0] == 0, bytes[1] == 0, bytes[2] == Self.unsignedByteType else {
            throw DataError(
                path, "is not an IDX file of unsigned bytes: it starts with \(Self.hex(bytes[..<4]))")
        }
        guard Int(bytes[3]) == dimensionCount else {
            throw DataError(path, "has \(bytes[3]) dimensions where \(dimensionCount) are expected")
        }
        let headerSize = 4 + 4 * dimensionCount
        guard bytes.count >= headerSize else {
            throw DataError(
                path, "is truncated: \(bytes.count) bytes cannot hold its header of \(headerSize) bytes")
        }
        let dimensions = (0..<dimensionCount).map { dimension in
            bytes[(4 + 4 * dimension)..<(8 + 4 * dimension)].reduce(0) { $0 << 8 | Int($1) }
        }
        let shape = dimensions.map(String.init).joined(separator: " x ")
        var expected = 1
        for dimension in dimensions {
            let (product, overflow) = expected.multipliedReportingOverflow(by: dimension)
            guard !overflow, product <= Self.largestFile else {
                throw DataError(path, "claims \(shape) elements, which no file of this kind has")
            }
            expected = product
        }
        let present = bytes.count - headerSize
        guard present >= expected else {
            throw DataError(
                path, "is truncated: \(shape) elements need \(expected) bytes, and \(present) follow")
        }
        guard present == expected else {
            throw DataError(path, "has \(present - expected) bytes after its \(shape) elements")
        }
        self.dimensions = dimensions
        self.elements = Array(bytes[headerSize...])
    }

    /// More than any file of the MNIST family; it bounds what a damaged header or stream can make us allocate.
    private static let largestFile = 1 << 30
    private static let unsignedByteType: UInt8 = 8

    private static func hex(_ bytes: ArraySlice<UInt8>) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: " ")
    }
}
