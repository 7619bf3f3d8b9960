import RingCollectives
import RingCore
import RingTransport
import Testing

/// Arguments that cannot be right are refused on the rank that has them, before anything is sent.
@Suite struct ArgumentTests {
    /// A call that rank 1 of 3 makes of 96 bytes of memory, and the reason for which it is refused.
    struct Refusal: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var reason: String
        var make: @Sendable (UnsafeMutableRawBufferPointer) -> CollectiveOperation

        init(
            _ name: String, _ reason: String,
            _ make: @escaping @Sendable (UnsafeMutableRawBufferPointer) -> CollectiveOperation
        ) {
            (testDescription, self.reason, self.make) = (name, reason, make)
        }
    }

    static func part(_ bytes: UnsafeMutableRawBufferPointer, _ range: Range<Int>)
        -> UnsafeMutableRawBufferPointer
    {
        UnsafeMutableRawBufferPointer(rebasing: bytes[range])
    }

    static func input(_ bytes: UnsafeMutableRawBufferPointer, _ range: Range<Int>) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: bytes[range])
    }

    static let refusals = [
        Refusal("same memory", "input and output overlap; use the in-place form") {
            .allReduce(from: input($0, 0..<40), into: part($0, 0..<40), .float32, .sum)
        },
        Refusal("input begins in output", "input and output overlap; use the in-place form") {
            .allReduce(from: input($0, 36..<76), into: part($0, 0..<40), .float32, .sum)
        },
        Refusal("output begins in input", "input and output overlap; use the in-place form") {
            .allReduce(from: input($0, 0..<40), into: part($0, 36..<76), .float32, .sum)
        },
        Refusal("share in the middle", "input and output overlap; use the in-place form") {
            .reduceScatter(from: input($0, 0..<96), into: part($0, 32..<64), .float32, .sum)
        },
        Refusal("different counts", "the input has 10 elements, the output 9") {
            .allReduce(from: input($0, 0..<40), into: part($0, 48..<84), .float32, .sum)
        },
        Refusal("reduce-scatter share", "the output has 4 elements; this rank's share of 10 is 3") {
            .reduceScatter(from: input($0, 0..<40), into: part($0, 48..<64), .float32, .sum)
        },
        Refusal("all-gather share", "the input has 4 elements; this rank's share of 10 is 3") {
            .allGather(from: input($0, 0..<16), into: part($0, 48..<88), .float32)
        },
        Refusal("root's counts", "the input has 2 elements, the output 3") {
            .broadcast(from: input($0, 0..<8), into: part($0, 48..<60), .float32, root: 1)
        },
        Refusal("root too large", "there is no rank 3 to be the root; ranks are 0 to 2") {
            .broadcast($0, .float32, root: 3)
        },
        Refusal("root below zero", "there is no rank -1 to be the root; ranks are 0 to 2") {
            .broadcast($0, .float32, root: -1)
        },
        Refusal("half an element", "the buffer has 42 bytes, which is not a whole number of float32 elements")
        {
            .allReduce(part($0, 0..<42), .float32, .sum)
        },
        Refusal(
            "half an element given", "the input has 9 bytes, which is not a whole number of float64 elements"
        ) {
            .allGather(from: input($0, 0..<9), into: part($0, 48..<72), .float64)
        },
        Refusal("unknown algorithm", "\"zigzag\" is not an algorithm for all-reduce: use one of ring") {
            .allReduce($0, .float32, .sum).using(Algorithm(name: "zigzag"))
        },
        Refusal(
            "another's algorithm", "\"ring\" is not an algorithm for broadcast: use one of pipelined-ring"
        ) {
            .broadcast($0, .float32, root: 0).using(Algorithm(name: "ring"))
        },
        Refusal("zero timeout", "it must be positive") { .allReduce($0, .float32, .sum).within(.zero) },
        Refusal("negative timeout", "it must be positive") { _ in .barrier().within(.seconds(-1)) },
    ]

    @Test func refused() async throws {
        let group = try await RankGroup.connect(3)
        let network = try #require(group.network)
        let links = network.linkCount
        let communicator = group.communicators[1]
        for refusal in Self.refusals {
            let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: 96, alignment: 64)
            defer { bytes.deallocate() }
            bytes.initializeMemory(as: UInt8.self, repeating: 0xA5)
            let operation = refusal.make(bytes)
            for error in [
                Result { _ = try communicator.start(operation) }.collectiveError,
                Result { try communicator.run(operation) }.collectiveError,
            ] {
                let name = refusal.testDescription
                #expect(error?.code == .invalidArgument, "\(name): \(error?.description ?? "accepted")")
                #expect(error?.peer == 1, "\(name)")
                let message = error?.message ?? ""
                #expect(message.hasPrefix("rank 1: "), "\(name): \(message)")
                #expect(message.contains(operation.collective.name), "\(name): \(message)")
                #expect(message.contains(refusal.reason), "\(name): \(message)")
            }
            #expect(bytes.allSatisfy { $0 == 0xA5 })
        }
        #expect(network.linkCount == links, "nothing was sent")
        // Rank 1 has tried more than the others have, and is still in step with them.
        for collective in [Collective.allReduce, .reduceScatter, .allGather, .broadcast, .barrier] {
            for outcome in await group.run({ try Exercise(collective: collective, count: 25).run(on: $0) }) {
                try outcome.get()
            }
        }
        await group.close()
    }

    /// Neighbouring memory is not overlapping memory, and nothing overlaps with no elements.
    @Test func accepted() async throws {
        try await withRanks(3) { communicator in
            var elements = [Float](repeating: 1, count: 20)
            try elements.withUnsafeMutableBytes { bytes in
                for (input, output) in [(0..<40, 40..<80), (40..<80, 0..<40), (8..<8, 0..<0)] {
                    try communicator.run(
                        .allReduce(
                            from: Self.input(bytes, input), into: Self.part(bytes, output), .float32, .sum))
                }
            }
            guard elements == Array(repeating: 9, count: 10) + Array(repeating: 3, count: 10) else {
                throw Wrong(description: "rank \(communicator.rank) has \(elements)")
            }
        }
    }

    /// The other ranks' input of a broadcast is not looked at, whatever its size.
    @Test func othersInput() async throws {
        try await withRanks(3) { communicator in
            let input = [Int32](repeating: 7, count: communicator.rank == 1 ? 5 : communicator.rank)
            var output = [Int32](repeating: 0, count: 5)
            try input.withUnsafeBufferPointer { input in
                try output.withUnsafeMutableBufferPointer {
                    try communicator.broadcast(from: input, into: $0, root: 1)
                }
            }
            guard output == [7, 7, 7, 7, 7] else { throw Wrong(description: "\(output)") }
        }
    }
}
