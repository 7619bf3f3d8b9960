import RingCore
import Testing

@testable import RingBenchCommand

@Suite struct SizeTests {
    @Test func sweepsStepByTheFactor() {
        #expect(SizeSweep(min: 4, max: 64, factor: 4).bytes() == [4, 16, 64])
        #expect(SizeSweep(min: 4, max: 63, factor: 4).bytes() == [4, 16])
        #expect(SizeSweep(min: 1, max: 5, factor: 1.5).bytes() == [1, 2, 3, 4])
        #expect(SizeSweep(min: 7, max: 7, factor: 2).bytes() == [7])
        #expect(SizeSweep(min: 0, max: 4, factor: 2).bytes() == [0, 1, 2, 4])
        #expect(SizeSweep(min: Int.max / 2, max: .max, factor: 100).bytes() == [Int.max / 2])
    }

    @Test func countsAreWholeElementsAtLeastOneNoneTwice() {
        #expect(SizeSweep(min: 0, max: 32, factor: 2).counts(elementBytes: 8) == [0, 1, 2, 4])
        #expect(SizeSweep(min: 13, max: 13, factor: 2).counts(elementBytes: 4) == [3])
        #expect(SizeSweep(min: 1, max: 1, factor: 2).counts(elementBytes: 8) == [1])
    }

    @Test func aBoundThatIsGivenMovesTheOther() throws {
        let large = try SizeSweep(minBytes: ByteSize("1G"), maxBytes: nil, factor: 2)
        #expect(large.bytes() == [1 << 30])
        let small = try SizeSweep(minBytes: nil, maxBytes: ByteSize("2"), factor: 2)
        #expect(small.bytes() == [2])
    }
}
