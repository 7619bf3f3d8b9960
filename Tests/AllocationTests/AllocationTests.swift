import RingProcessSupport
import Testing

/// A repeated collective allocates nothing: plans, scratch memory and what the engine notes are kept.
///
/// What the optimizer removes would be counted without it, so the ranks are programs built for release: `make test`
/// builds them first.
@Suite(.serialized)
struct AllocationTests {
    private static let program = "../release/allocation-subject"

    private static let collectives = [
        "all-reduce", "broadcast", "reduce", "reduce-scatter", "all-gather", "gather", "scatter",
        "all-to-all",
        "barrier",
    ]
    /// Elements a rank, and how often each collective is repeated with so many.
    private static let sizes = [
        (count: 1, times: 300), (count: 1000, times: 300), (count: 600_000, times: 20),
    ]

    /// What two ranks' threads allocate, by `NAME of COUNT`: the threads' names and numbers. The watchdogs' threads,
    /// which exchange a few messages a second whatever goes on, and those that let a peer connect, which may be a measurement
    /// ahead, are left out.
    private static func allocations(
        mode: String, settings: [String: String] = [:]
    ) throws -> [[String: [String: Int]]] {
        let ranks = try startRanks(2, program: program, mode: mode, timeout: 60, settings: settings)
        return try ranks.map { rank in
            let end = rank.line(beginning: "done", within: 120)
            try #require(end != nil, "rank \(rank.rank) said: \(rank.transcript)")
            var found: [String: [String: Int]] = [:]
            for line in rank.linesSoFar {
                let sides = line.split(separator: ":", maxSplits: 1)
                guard sides.count == 2, sides[0].contains(" of ") else { continue }
                let name = String(sides[0])
                let words = sides[1].split(separator: " ")
                var threads = found[name, default: [:]]
                if words.count == 2, let number = Int(words[1]),
                    !["ring-watch", "ring-accept"].contains(where: { words[0].hasPrefix($0) })
                {
                    threads[String(words[0]), default: 0] += number
                }
                found[name] = threads
            }
            return found
        }
    }

    /// With two channels, long operations are divided between two threads.
    @Test(arguments: ["1", "2"]) func aBlockingCallAllocatesNothing(_ channels: String) throws {
        for found in try Self.allocations(mode: "blocking", settings: ["RING_CHANNELS": channels]) {
            for collective in Self.collectives {
                for size in Self.sizes {
                    let name = "\(collective) of \(size.count)"
                    #expect(found[name] == [:], "\(name)")
                }
            }
        }
    }

    /// A started operation's handle is an object with a lock of its own, and there is nothing else.
    @Test func aHandleIsThreeAllocations() throws {
        for found in try Self.allocations(mode: "started") {
            for collective in Self.collectives {
                for size in Self.sizes {
                    let threads = try #require(found["\(collective) of \(size.count)"])
                    #expect(threads.count == 1)
                    #expect(threads.values.reduce(0, +) == 3 * size.times)
                }
            }
        }
    }
}
