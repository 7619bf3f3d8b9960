import RingCore
import RingKernels
import Testing

/// A reduction to test: an operator, and for averages perhaps a divisor.
struct Reduction: Sendable {
    var reductionOperator: ReductionOperator
    var divisor: Int?

    static func all(divisors: [Int]) -> [Reduction] {
        ReductionOperator.allCases.map { Reduction(reductionOperator: $0) }
            + divisors.map { Reduction(reductionOperator: .average, divisor: $0) }
    }

    func expected(_ dataType: DataType, _ own: [UInt64], _ received: [UInt64]) -> [UInt8] {
        let reference = ScalarReference(
            dataType: dataType, reductionOperator: reductionOperator, divisor: divisor)
        return ElementPatterns(dataType: dataType).bytes(reference(own, received))
    }

    func kernel(_ dataType: DataType, _ level: KernelLevel) -> ReductionKernel {
        ReductionKernel(dataType, reductionOperator, divisor: divisor, level: level)
    }
}

/// Each level that the processor offers, held against plain scalar code.
@Suite struct ReductionKernelTests {
    /// Powers of two, primes, and the numbers around which each integer type's range ends.
    static let divisors = [
        1, 2, 3, 4, 5, 7, 8, 64, 100, 127, 128, 129, 255, 256, 257, 1_000, 32_767, 32_768, 32_769, 65_535,
        65_536,
        65_537, 1 << 24 + 1, 1 << 31 - 1, 1 << 31, 1 << 31 + 1, 1 << 32 - 1, 1 << 32, 1 << 32 + 1, 1 << 62,
        .max,
    ]

    @Test(arguments: DataType.allCases, KernelLevel.available)
    func everyOperatorMatchesScalarCode(dataType: DataType, level: KernelLevel) {
        let patterns = ElementPatterns(dataType: dataType)
        let (own, received) = patterns.pairs(random: 1_000, seed: UInt64(dataType.rawValue))
        let (ownBytes, receivedBytes) = (patterns.bytes(own), patterns.bytes(received))
        for reduction in Reduction.all(divisors: Self.divisors) {
            var result = [UInt8](repeating: 0xA5, count: ownBytes.count)
            reduction.kernel(dataType, level)(&result, ownBytes, receivedBytes, count: own.count)
            #expect(result == reduction.expected(dataType, own, received), "\(reduction)")
        }
    }

    @Test(arguments: [DataType.float16, .bfloat16], KernelLevel.available)
    func everyHalfPrecisionPatternMatchesScalarCode(dataType: DataType, level: KernelLevel) {
        let patterns = ElementPatterns(dataType: dataType)
        let own = (0...UInt64(UInt16.max)).map { $0 }
        let received = patterns.random(count: own.count, seed: 9)
        let (ownBytes, receivedBytes) = (patterns.bytes(own), patterns.bytes(received))
        for reduction in Reduction.all(divisors: [3])
        where reduction.reductionOperator != .average || reduction.divisor != nil {
            var result = [UInt8](repeating: 0xA5, count: ownBytes.count)
            reduction.kernel(dataType, level)(&result, ownBytes, receivedBytes, count: own.count)
            #expect(result == reduction.expected(dataType, own, received), "\(reduction)")
        }
    }

    @Test(arguments: DataType.allCases, KernelLevel.available)
    func operandsCommute(dataType: DataType, level: KernelLevel) {
        let patterns = ElementPatterns(dataType: dataType)
        let (own, received) = patterns.pairs(random: 200, seed: 5)
        let (ownBytes, receivedBytes) = (patterns.bytes(own), patterns.bytes(received))
        for reduction in Reduction.all(divisors: [2, 3]) {
            let kernel = reduction.kernel(dataType, level)
            var one = [UInt8](repeating: 0x5A, count: ownBytes.count)
            var other = [UInt8](repeating: 0xA5, count: ownBytes.count)
            kernel(&one, ownBytes, receivedBytes, count: own.count)
            kernel(&other, receivedBytes, ownBytes, count: own.count)
            #expect(one == other, "\(reduction)")
        }
    }

    /// Where the destination lies.
    enum Placement: CaseIterable {
        case apart, own, received, all
    }

    @Test(arguments: DataType.allCases, KernelLevel.available)
    func everyLengthAlignmentAndPlacement(dataType: DataType, level: KernelLevel) {
        let patterns = ElementPatterns(dataType: dataType)
        let own = patterns.random(count: 70, seed: 1)
        let received = patterns.random(count: 70, seed: 2)
        let (ownBytes, receivedBytes) = (patterns.bytes(own), patterns.bytes(received))
        let arena = Arena(capacity: ownBytes.count)
        for reduction in Reduction.all(divisors: [3, 4]) {
            let kernel = reduction.kernel(dataType, level)
            let expected = reduction.expected(dataType, own, received)
            let expectedOfSame = reduction.expected(dataType, own, own)
            for count in 0...70 {
                for placement in Placement.allCases {
                    let ownAt = arena.place(ownBytes, in: 0, offset: count % 7)
                    let receivedAt =
                        placement == .all ? ownAt : arena.place(receivedBytes, in: 1, offset: count % 5)
                    let destination =
                        switch placement {
                        case .apart: arena.place([], in: 2, offset: count % 3)
                        case .own, .all: ownAt
                        case .received: receivedAt
                        }
                    let byteCount = count * dataType.byteCount
                    let before = arena.contents
                    kernel(destination, ownAt, receivedAt, count: count)
                    let wanted = placement == .all ? expectedOfSame : expected
                    #expect(
                        arena.contents
                            == arena.replacing(destination, with: wanted.prefix(byteCount), in: before),
                        "\(reduction), \(count) elements, destination \(placement)")
                }
            }
        }
    }

    @Test(arguments: DataType.allCases, KernelLevel.available)
    func streamingChangesNothing(dataType: DataType, level: KernelLevel) {
        let patterns = ElementPatterns(dataType: dataType)
        for count in [0, 1, 15, 64, 1_023, 4_096, 5_001] {
            let own = patterns.bytes(patterns.random(count: count, seed: 6))
            let received = patterns.bytes(patterns.random(count: count, seed: 7))
            let kernel = ReductionKernel(dataType, .average, divisor: 3, level: level)
            var expected = own
            kernel(&expected, own, received, count: count)
            // Odd places are no multiple of the element's size away from any vector's place.
            for offset in [0, dataType.byteCount, 13] {
                let arena = Arena(capacity: 5_001 * 8)
                let destination = arena.place([], in: 0, offset: offset)
                let before = arena.contents
                kernel.stream(destination, own, received, count: count)
                #expect(
                    arena.contents == arena.replacing(destination, with: expected[...], in: before),
                    "\(count) elements at \(offset)")
            }
        }
    }

    /// The loops look for NaNs in blocks of 2,048 elements.
    @Test(arguments: [DataType.float16, .bfloat16], KernelLevel.available)
    func oneNaNAmongManyIsCanonical(dataType: DataType, level: KernelLevel) {
        let patterns = ElementPatterns(dataType: dataType)
        let count = 3 * 2_048 + 5
        let zeros = [UInt64](repeating: 0, count: count)
        for index in [0, 1, 2_047, 2_048, 4_095, count - 1] {
            var own = zeros
            own[index] = 0xFFFF
            for reduction in Reduction.all(divisors: [2, 3]) {
                var result = patterns.bytes(own)
                reduction.kernel(dataType, level)(
                    &result, patterns.bytes(own), patterns.bytes(zeros), count: count)
                #expect(result == reduction.expected(dataType, own, zeros), "\(reduction), NaN at \(index)")
            }
        }
    }
}
