import RingCompression
import RingCompressionTesting
import RingCore
import Testing

@Suite struct CompressionTests {
    static let all: [Compression] = [
        .none, .float16, .bfloat16, .int8(), .int4(), .lz4, Compression.int8().followedByLZ4(),
        Compression.int4().followedByLZ4(), Compression.bfloat16.followedByLZ4(),
    ]

    @Test(arguments: all)
    func namesAreReadBack(_ compression: Compression) {
        #expect(Compression(name: compression.name) == compression)
    }

    @Test(arguments: ["", "int7", "lz4+lz4", "none+lz4", "int8+", "int8+zip", "INT8", "int8+lz4+lz4"])
    func otherNamesAreNone(_ name: String) {
        #expect(Compression(name: name) == nil)
    }

    @Test func codesDiffer() {
        let others: [Compression] = [.int8(blockSize: 32), .int8(blockSize: 4096), .int4(blockSize: 32)]
        let codes = (Self.all + others + others.map { $0.followedByLZ4() }).map(\.code)
        #expect(Set(codes).count == codes.count)
        #expect(codes.allSatisfy { $0 < 0xF0 })
        #expect(Compression.none.code == 0)
    }

    @Test(arguments: all, DataType.allCases)
    func typesThatCannotBeTakenAreRefusedByName(_ compression: Compression, _ dataType: DataType) throws {
        if compression.accepts(dataType) {
            #expect((try compression.codec(for: dataType) == nil) == (compression == .none))
        } else {
            let error = try #require(throws: CollectiveError.self) { try compression.codec(for: dataType) }
            #expect(error.code == .unsupported)
            #expect(error.message.contains(compression.name) && error.message.contains(dataType.name))
        }
    }

    @Test(arguments: [(Compression.int8(), 1.02), (.int4(), 0.55), (.float16, 2), (.bfloat16, 2)])
    func bytesAnElement(_ compression: Compression, _ limit: Double) throws {
        let codec = try #require(try compression.codec(for: .float32))
        for count in [codec.blockSize, 1 << 14, 1 << 20] {
            #expect(Double(codec.largestByteCount(count)) <= limit * Double(count))
        }
    }

    #if LZ4
        @Test func zerosBecomeSmallAndNoiseDoesNotGrow() throws {
            let codec = try #require(try Compression.lz4.codec(for: .float32))
            let byteCount = 4 << 16
            // Of a gradient nine tenths of which are zeros little more than the other tenth is left.
            var samples = Samples(seed: 3)
            #expect(encoded(samples.floats(1 << 16, .sparse), codec) * 6 <= byteCount)
            #expect(encoded(floats(samples.bytes(byteCount)), codec) <= byteCount + 1)
        }

        /// However many of the elements are zeros, and wherever they lie.
        @Test(arguments: DataType.allCases, [0, 3, 60, 90, 100])
        func zerosComeBack(_ dataType: DataType, _ percent: UInt64) throws {
            let codec = try #require(try Compression.lz4.codec(for: dataType))
            let size = dataType.byteCount
            var samples = Samples(seed: percent)
            for count in [1, 63, 64, 65, 1_000, 20_000] {
                var elements = samples.bytes(count * size)
                for index in 0..<count where samples.next() % 100 < percent {
                    for byte in index * size..<(index + 1) * size { elements[byte] = 0 }
                }
                var segment = [UInt8](repeating: 0, count: codec.largestByteCount(count))
                let written = codec.encode(elements, count: count, into: &segment, at: EncodingPosition())
                var result = [UInt8](repeating: 0xEE, count: elements.count)
                try segment.withUnsafeBytes {
                    try codec.decode(
                        UnsafeRawBufferPointer(rebasing: $0[..<written]), count: count, into: &result)
                }
                #expect(result == elements, "\(count) elements")
            }
        }

        private func encoded(_ values: [Float], _ codec: any Codec) -> Int {
            var room = [UInt8](repeating: 0, count: codec.largestByteCount(values.count))
            return values.withUnsafeBytes { values in
                room.withUnsafeMutableBytes {
                    codec.encode(
                        values.baseAddress!, count: values.count / 4, into: $0.baseAddress!,
                        at: EncodingPosition())
                }
            }
        }
    #else
        @Test(arguments: all.filter(\.needsLZ4))
        func lz4IsRefused(_ compression: Compression) throws {
            let error = try #require(throws: CollectiveError.self) { try compression.codec(for: .float32) }
            #expect(error.code == .unsupported && error.message.contains("trait LZ4"))
        }
    #endif
}
