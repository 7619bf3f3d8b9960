import RingCollectives
import RingCore
import Testing

/// A call that is made again is checked and planned once, which must show in nothing but its speed.
@Suite struct RepeatedCallTests {
    /// What rank `rank` contributes to call `number`.
    private static func elements(_ rank: Rank, _ number: Int, count: Int) -> [Int32] {
        (0..<count).map { Int32(rank * 100 + number * 7 + $0) }
    }

    private static func total(_ worldSize: Int, _ number: Int, count: Int) -> [Int32] {
        let all = (0..<worldSize).map { elements($0, number, count: count) }
        return (0..<count).map { index in all.reduce(0) { $0 + $1[index] } }
    }

    private static func sum(_ communicator: Communicator, _ number: Int, count: Int) throws {
        var elements = elements(communicator.rank, number, count: count)
        try elements.withUnsafeMutableBufferPointer { try communicator.allReduce($0, .sum) }
        guard elements == total(communicator.worldSize, number, count: count) else {
            throw Wrong(description: "\(communicator): sum \(number) of \(count) is \(elements)")
        }
    }

    @Test(arguments: [2, 3, 4], [1, 5_000]) func otherMemory(worldSize: Int, count: Int) async throws {
        try await withRanks(worldSize) { communicator in
            for number in 0..<5 { try Self.sum(communicator, number, count: count) }
        }
    }

    /// Between two equal calls there is another one: of another size, kind, type, algorithm or form, a message, a group.
    @Test(arguments: [2, 3]) func othersBetween(worldSize: Int) async throws {
        let others: [@Sendable (Communicator) throws -> Void] = [
            { try Self.sum($0, 50, count: 9) },
            { try $0.barrier() },
            { communicator in
                var elements = [Float](repeating: 1.5, count: 4)
                try elements.withUnsafeMutableBufferPointer { try communicator.allReduce($0, .max) }
                guard elements == [1.5, 1.5, 1.5, 1.5] else { throw Wrong(description: "\(elements)") }
            },
            { communicator in
                var elements = Self.elements(communicator.rank, 60, count: 4)
                _ = try elements.withUnsafeMutableBufferPointer {
                    try communicator.run(.allReduce($0, .sum).using(Algorithm(name: "ring")))
                }
                guard elements == Self.total(communicator.worldSize, 60, count: 4) else {
                    throw Wrong(description: "\(elements)")
                }
            },
            { communicator in
                let elements = Self.elements(communicator.rank, 70, count: 4)
                var sum = [Int32](repeating: 0, count: 4)
                try elements.withUnsafeBufferPointer { input in
                    try sum.withUnsafeMutableBufferPointer { output in
                        _ = try communicator.run(.allReduce(from: input, into: output, .sum))
                    }
                }
                guard sum == Self.total(communicator.worldSize, 70, count: 4) else {
                    throw Wrong(description: "\(sum)")
                }
            },
            { communicator in
                switch communicator.rank {
                case 0: try GroupTests.send(communicator, to: 1, 8, count: 4)
                case 1: try GroupTests.receive(communicator, from: 0, 8, count: 4)
                default: break
                }
            },
            { communicator in
                var first = Self.elements(communicator.rank, 80, count: 4)
                var second = Self.elements(communicator.rank, 90, count: 4)
                _ = try first.withUnsafeMutableBufferPointer { first in
                    try second.withUnsafeMutableBufferPointer { second in
                        try communicator.run(group: [.allReduce(first, .sum), .allReduce(second, .sum)])
                    }
                }
                let sums = [80, 90].map { Self.total(communicator.worldSize, $0, count: 4) }
                guard [first, second] == sums else { throw Wrong(description: "\(first), \(second)") }
            },
        ]
        try await withRanks(worldSize) { communicator in
            for (index, other) in others.enumerated() {
                try Self.sum(communicator, 2 * index, count: 4)
                try Self.sum(communicator, 2 * index + 1, count: 4)
                try other(communicator)
                try other(communicator)
            }
        }
    }

    /// A call right behind one that the progress thread has just ended, which may still hold the runner: with more peers and
    /// with fewer.
    @Test func rightBehindAStartedOne() async throws {
        try await withRanks(3) { communicator in
            for number in 0..<1500 {
                if number % 3 > 0 { try communicator.start(.barrier()).wait() }
                try Self.sum(communicator, number % 11, count: 6)
                if number % 2 > 0 { try communicator.start(.barrier()).wait() }
                var elements = [Int32](repeating: Int32(communicator.rank), count: 3)
                try elements.withUnsafeMutableBufferPointer {
                    try communicator.broadcast($0, root: number % 3)
                }
                guard elements == [Int32](repeating: Int32(number % 3), count: 3) else {
                    throw Wrong(description: "\(communicator): broadcast \(number) is \(elements)")
                }
            }
        }
    }

    /// What the check of the first call found says nothing of the second's memory and timeout.
    @Test func eachIsChecked() async throws {
        try await withRanks(2) { communicator in
            var memory = [Int32](repeating: 1, count: 12)
            try memory.withUnsafeMutableBufferPointer { memory in
                let (first, second) = (UnsafeBufferPointer(rebasing: memory[..<4]), memory[4..<8])
                let apart = UnsafeMutableBufferPointer(rebasing: second)
                let overlapping = UnsafeMutableBufferPointer(rebasing: memory[2..<6])
                _ = try communicator.run(.allReduce(from: first, into: apart, .sum))
                #expect(throws: CollectiveError.self) {
                    try communicator.run(.allReduce(from: first, into: overlapping, .sum))
                }
                var hasty = CollectiveOperation.allReduce(from: first, into: apart, .sum)
                hasty.timeout = .zero
                #expect(throws: CollectiveError.self) { try communicator.run(hasty) }
                _ = try communicator.run(.allReduce(from: first, into: apart, .sum))
                #expect(Array(apart) == [2, 2, 2, 2])
            }
        }
    }

    /// A peer that calls something else is still found out.
    @Test func aMismatchAfterManyIsAnError() async throws {
        try await withRanks(2) { communicator in
            for number in 0..<3 { try Self.sum(communicator, number, count: 4) }
            #expect {
                try Self.sum(communicator, 3, count: 4 + communicator.rank)
            } throws: { ($0 as? CollectiveError)?.code == .mismatch }
        }
    }
}
