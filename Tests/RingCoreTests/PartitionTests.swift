import RingCore
import Testing

@Suite struct PartitionTests {
    @Test(arguments: 1...64)
    func partsCoverEveryElementOnceInOrder(parts: Int) {
        for count in 0...200 {
            let partition = Partition(count: count, parts: parts)
            let ranges = (0..<parts).map { partition[$0] }
            #expect(ranges.first?.lowerBound == 0)
            #expect(ranges.last?.upperBound == count)
            #expect(zip(ranges, ranges.dropFirst()).allSatisfy { $0.upperBound == $1.lowerBound })
            // As even as can be, and the larger parts first.
            let sizes = ranges.map(\.count)
            #expect(sizes == sizes.sorted(by: >))
            #expect(sizes[0] - sizes[parts - 1] <= 1)
            #expect(partition.largest == sizes[0])
        }
    }

    @Test func theLargestCountDoesNotOverflow() {
        for parts in [1, 2, 3, 64, 1_000_003, Int.max] {
            let partition = Partition(count: .max, parts: parts)
            #expect(partition[0].lowerBound == 0)
            #expect(partition[parts - 1].upperBound == .max)
            #expect(partition.largest == Int.max / parts + (Int.max % parts > 0 ? 1 : 0))
        }
    }

    @Test func impossiblePartitionsTrap() async {
        await #expect(processExitsWith: .failure) { _ = Partition(count: -1, parts: 1) }
        await #expect(processExitsWith: .failure) { _ = Partition(count: 1, parts: 0) }
        await #expect(processExitsWith: .failure) { _ = Partition(count: 1, parts: 1)[1] }
        await #expect(processExitsWith: .failure) { _ = Partition(count: 1, parts: 1)[-1] }
    }
}
