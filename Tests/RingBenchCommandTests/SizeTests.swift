import Testing

@testable import RingBenchCommand

@Suite struct SizeTests {
    @Test(arguments: [
        ("0", 0), ("4", 4), ("64K", 64 << 10), ("16M", 16 << 20), ("1G", 1 << 30), ("2g", 2 << 30),
        ("007", 7),
    ])
    func sizesAreRead(_ text: String, _ bytes: Int) {
        #expect(ByteSize(argument: text)?.bytes == bytes)
    }

    @Test(arguments: [
        "", "K", "-1", "+1", "1.5M", "1KK", "4B", "1 K", "0x10", "٣", "9223372036854775808", "8589934592G",
    ])
    func whatIsNoSizeIsRefused(_ text: String) {
        #expect(ByteSize(argument: text) == nil)
    }

    @Test(arguments: [(0, "0"), (4, "4"), (1024, "1K"), (1536, "1536"), (64 << 20, "64M"), (3 << 30, "3G")])
    func sizesAreWritten(_ bytes: Int, _ text: String) {
        #expect(ByteSize(bytes: bytes).description == text)
        #expect(ByteSize(argument: text)?.bytes == bytes)
    }

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
        let large = try SizeSweep(minBytes: ByteSize(argument: "1G"), maxBytes: nil, factor: 2)
        #expect(large.bytes() == [1 << 30])
        let small = try SizeSweep(minBytes: nil, maxBytes: ByteSize(argument: "2"), factor: 2)
        #expect(small.bytes() == [2])
    }
}
