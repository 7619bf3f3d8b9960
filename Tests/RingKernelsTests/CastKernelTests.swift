import RingCore
import RingKernels
import RingTestSupport
import Testing

@Suite struct CastKernelTests {
    @Test(arguments: KernelLevel.available)
    func everyFloat16Widens(level: KernelLevel) throws {
        let kernel = try #require(CastKernel(from: .float16, to: .float32, level: level))
        let source = (0...UInt16.max).map { $0 }
        let expected = source.map { pattern -> UInt32 in
            let value = Float16(bitPattern: pattern)
            return value.isNaN ? 0x7FC0_0000 : Float(value).bitPattern
        }
        #expect(cast(source, kernel, to: UInt32.self) == expected)
    }

    @Test(arguments: KernelLevel.available)
    func everyBFloat16Widens(level: KernelLevel) throws {
        let kernel = try #require(CastKernel(from: .bfloat16, to: .float32, level: level))
        let source = (0...UInt16.max).map { $0 }
        let expected = source.map { pattern -> UInt32 in
            let value = BFloat16(bitPattern: pattern)
            return Float(value).isNaN ? 0x7FC0_0000 : Float(value).bitPattern
        }
        #expect(cast(source, kernel, to: UInt32.self) == expected)
    }

    @Test(arguments: KernelLevel.available)
    func narrowingToFloat16Rounds(level: KernelLevel) throws {
        let kernel = try #require(CastKernel(from: .float32, to: .float16, level: level))
        let source = Self.inputs(around: (0...UInt16.max).map { Float(Float16(bitPattern: $0)) })
        let expected = source.map { $0.isNaN ? 0x7E00 : Float16($0).bitPattern }
        #expect(cast(source, kernel, to: UInt16.self) == expected)
    }

    @Test(arguments: KernelLevel.available)
    func narrowingToBFloat16Rounds(level: KernelLevel) throws {
        let kernel = try #require(CastKernel(from: .float32, to: .bfloat16, level: level))
        let source = Self.inputs(around: (0...UInt16.max).map { Float(BFloat16(bitPattern: $0)) })
        let expected = source.map { BFloat16($0).bitPattern }
        #expect(cast(source, kernel, to: UInt16.self) == expected)
    }

    static let pairs: [(DataType, DataType)] = [
        (.float32, .float16), (.float32, .bfloat16), (.float16, .float32), (.bfloat16, .float32),
    ]

    @Test(arguments: pairs, KernelLevel.available)
    func everyLengthAndAlignment(pair: (DataType, DataType), level: KernelLevel) throws {
        let kernel = try #require(CastKernel(from: pair.0, to: pair.1, level: level))
        let patterns = ElementPatterns(dataType: pair.0)
        let source = patterns.bytes(patterns.random(count: 70, seed: 3))
        let arena = Arena(capacity: 70 * 4)
        // The kernel's own result for the longest input is what shorter and unaligned ones must repeat.
        var whole = [UInt8](repeating: 0, count: 70 * pair.1.byteCount)
        kernel(&whole, source, count: 70)
        for count in 0...70 {
            let sourceAt = arena.place(source, in: 0, offset: count % 7)
            let destination = arena.place([], in: 1, offset: count % 5)
            let before = arena.contents
            kernel(destination, sourceAt, count: count)
            let wanted = whole.prefix(count * pair.1.byteCount)
            #expect(
                arena.contents == arena.replacing(destination, with: wanted, in: before), "\(count) elements")
        }
    }

    @Test(arguments: pairs, KernelLevel.available)
    func streamingChangesNothing(pair: (DataType, DataType), level: KernelLevel) throws {
        let kernel = try #require(CastKernel(from: pair.0, to: pair.1, level: level))
        let patterns = ElementPatterns(dataType: pair.0)
        for count in [0, 1, 7, 8, 64, 1_023, 4_096, 5_001] {
            let source = patterns.bytes(patterns.random(count: count, seed: 4))
            var expected = [UInt8](repeating: 0, count: count * pair.1.byteCount)
            kernel(&expected, source, count: count)
            // Odd places are no multiple of the element's size away from any vector's place.
            for offset in [0, pair.1.byteCount, 13] {
                let arena = Arena(capacity: 5_001 * 4)
                let destination = arena.place([], in: 0, offset: offset)
                let before = arena.contents
                kernel.stream(destination, source, count: count)
                #expect(
                    arena.contents == arena.replacing(destination, with: expected[...], in: before),
                    "\(count) elements at \(offset)")
            }
        }
    }

    @Test func onlyThesePairsHaveACast() {
        for source in DataType.allCases {
            for destination in DataType.allCases {
                let exists = CastKernel(from: source, to: destination) != nil
                #expect(
                    exists == Self.pairs.contains { $0 == (source, destination) },
                    "\(source) to \(destination)")
            }
        }
    }

    /// Numbers of a narrower type, the midpoints between them, where ties are broken, the neighbours of both, and any
    /// patterns.
    private static func inputs(around numbers: [Float]) -> [Float] {
        let finite = numbers.filter(\.isFinite).sorted()
        let midpoints = zip(finite, finite.dropFirst()).map { $0 + ($1 - $0) / 2 }
        var generator = SplitMix64(state: 8)
        let random = (0..<50_000).map { _ in Float(bitPattern: UInt32(truncatingIfNeeded: generator.next())) }
        let special: [Float] = [
            0, -0, 65_504, 65_519.996, 65_520, 65_535, 65_536, -65_520, 0x1p-24, 0x1p-25, 0x1.000002p-25,
            -0x1p-25, 0x1p-126,
            .leastNonzeroMagnitude, .greatestFiniteMagnitude, .infinity, -.infinity, .nan, .signalingNaN,
            -.nan,
            Float(bitPattern: 0x7FFF_FFFF), Float(bitPattern: 0xFFFF_FFFF),
        ]
        return special + random + numbers + midpoints + midpoints.map(\.nextUp) + midpoints.map(\.nextDown)
    }

    private func cast<Source, Destination: FixedWidthInteger>(
        _ source: [Source], _ kernel: CastKernel, to _: Destination.Type
    ) -> [Destination] {
        var result = [Destination](repeating: 0, count: source.count)
        result.withUnsafeMutableBytes { result in
            source.withUnsafeBytes { kernel(result.baseAddress!, $0.baseAddress!, count: source.count) }
        }
        return result
    }
}
