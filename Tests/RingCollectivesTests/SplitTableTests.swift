import RingCore
import Testing

@testable import RingCollectives

/// Who belongs to which part, and the numbers of the parts.
@Suite struct SplitTableTests {
    private func table(_ parent: Roster, _ records: [SplitRecord], jobSize: Int) -> SplitTable {
        SplitTable(records: records, parent: parent, jobSize: jobSize)
    }

    @Test func recordsAreReadAsWritten() throws {
        for record in [
            SplitRecord(color: nil, key: 0, number: 0), SplitRecord(color: 0, key: -1, number: 1),
            SplitRecord(color: .min, key: .max, number: .max),
        ] {
            #expect(record.bytes.count == SplitRecord.byteCount)
            #expect(try SplitRecord(record.bytes) == record)
        }
        #expect(throws: WireError.self) { try SplitRecord([1, 2, 3]) }
    }

    /// All members of a part find the same part, and parts that share a rank have different numbers, whoever has
    /// given how many numbers away before.
    @Test func partsAreConsistent() throws {
        let jobSize = 7
        for seed in 0..<50 {
            let members = [6, 2, 5, 0, 3]
            let records = members.indices.map { index in
                SplitRecord(
                    color: (seed + index * 3) % 4 == 0 ? nil : (seed * index) % 3, key: (index * seed) % 2,
                    number: UInt64((seed * 7 + index) % 5))
            }
            var parts: [UInt32: Set<[Rank]>] = [:]
            for rank in members.indices {
                let parent = Roster(communicator: 9, members: members, rank: rank)
                let part = try table(parent, records, jobSize: jobSize).part()
                #expect((part == nil) == (records[rank].color == nil))
                guard let part else { continue }
                #expect(part.members[part.rank] == members[rank])
                #expect(part.communicator > 0)
                parts[part.communicator, default: []].insert(part.members)
                let same = members.indices.filter { records[$0].color == records[rank].color }
                #expect(Set(part.members) == Set(same.map { members[$0] }))
            }
            #expect(parts.values.allSatisfy { $0.count == 1 })
        }
    }

    /// The number is that of the part's first rank, and of what it has counted: no two can be the same.
    @Test func numbersAreUnique() throws {
        var seen: Set<UInt32> = []
        for first in 0..<4 {
            for number in 0..<5 {
                let parent = Roster(communicator: 0, members: [first], rank: 0)
                let record = SplitRecord(color: 0, key: 0, number: UInt64(number))
                let part = try #require(try table(parent, [record], jobSize: 4).part())
                #expect(seen.insert(part.communicator).inserted)
            }
        }
        #expect(seen == Set(1...20))
    }

    @Test func numbersEnd() throws {
        let parent = Roster(communicator: 0, members: [0, 1, 2, 3], rank: 3)
        for (number, fits) in [(UInt64(1) << 30 - 1, true), (1 << 30, false), (.max, false)] {
            let records = [1, 0, 2, 3].map { SplitRecord(color: 0, key: $0, number: number) }
            if fits {
                #expect(try table(parent, records, jobSize: 4).part()?.communicator == UInt32.max - 1)
            } else {
                let error = #expect(throws: CollectiveError.self) {
                    try table(parent, records, jobSize: 4).part()
                }
                #expect(error?.code == .unsupported)
            }
        }
    }

    @Test func rostersExplain() {
        let error = CollectiveError(.peerLost, "rank 1 is gone", peer: 1)
        #expect(Roster.whole(rank: 0, worldSize: 3).explain(error).message == "rank 1 is gone")
        let small = Roster(communicator: 5, members: [4, 2], rank: 0)
        let explained = "rank 1 is gone (in communicator 5, whose ranks 0, 1 are the job's ranks 4, 2)"
        #expect(small.explain(error).message == explained)
        #expect(small.explain(small.explain(error)).message == explained)
        let large = Roster(communicator: 5, members: Array(10..<30), rank: 0)
        #expect(
            large.explain(error).message
                == "rank 1 is gone (in communicator 5, whose rank 1 is the job's rank 11)")
        #expect(large.explain(CollectiveError(.closed, "all over")).message == "all over")
    }
}
