import RingCore
import RingKernels
import RingTestSupport
import Testing

/// The division by a multiplication and shifts, held against the processor's own, exhaustively where that is possible.
@Suite struct IntegerAverageTests {
    @Test(arguments: KernelLevel.available)
    func everySumOf8BitsByEveryDivisor(level: KernelLevel) {
        for divisor in 1...300 {
            checkAll(Int8.self, divisor, level)
            checkAll(UInt8.self, divisor, level)
        }
    }

    @Test(
        arguments: KernelLevel.available,
        [2, 3, 5, 6, 7, 9, 10, 11, 13, 63, 64, 641, 6_700, 32_767, 32_768, 32_769, 65_535, 65_536, 65_537])
    func everySumOf16Bits(level: KernelLevel, divisor: Int) {
        checkAll(Int16.self, divisor, level)
        checkAll(UInt16.self, divisor, level)
    }

    @Test(arguments: KernelLevel.available)
    func multiplesAndTheirNeighbours(level: KernelLevel) {
        var generator = SplitMix64(state: 4)
        for _ in 0..<200 {
            let divisor = Int(generator.next() >> UInt64(1 + generator.next() % 63)) | 1
            checkAround(Int32.self, divisor, level, &generator)
            checkAround(UInt32.self, divisor + divisor % 3, level, &generator)
            checkAround(Int64.self, divisor, level, &generator)
            checkAround(UInt64.self, divisor, level, &generator)
        }
    }

    private func checkAll<Integer: FixedWidthInteger & CollectiveElement>(
        _: Integer.Type, _ divisor: Int, _ level: KernelLevel
    ) {
        check((Integer.min...Integer.max).map { $0 }, divisor, level)
    }

    private func checkAround<Integer: FixedWidthInteger & CollectiveElement>(
        _: Integer.Type, _ divisor: Int, _ level: KernelLevel, _ generator: inout SplitMix64
    ) {
        let multiples = (0..<10).map { _ in
            let any = Integer(truncatingIfNeeded: generator.next())
            guard let divisor = Integer(exactly: divisor) else { return any }
            return any / divisor * divisor
        }
        check(multiples.flatMap { [$0 &- 1, $0, $0 &+ 1] } + [.min, .max, 0], divisor, level)
    }

    /// Divides sums that are split into two wrapping addends.
    private func check<Integer: FixedWidthInteger & CollectiveElement>(
        _ sums: [Integer], _ divisor: Int, _ level: KernelLevel
    ) {
        let received = sums.indices.map { Integer(truncatingIfNeeded: $0 &* 0x9E37_79B9) }
        let own = zip(sums, received).map { $0 &- $1 }
        var result = [Integer](repeating: 0, count: sums.count)
        let kernel = ReductionKernel(Integer.dataType, .average, divisor: divisor, level: level)
        kernel(&result, own, received, count: sums.count)
        let expected = sums.map { Integer(Int128($0) / Int128(divisor)) }
        #expect(result == expected, "\(Integer.self) divided by \(divisor)")
    }

}
