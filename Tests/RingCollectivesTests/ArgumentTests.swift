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

    /// What is refused of the rooted collectives, the counted forms and messages.
    static let furtherRefusals = [
        Refusal("reduce root", "there is no rank 3 to be the root; ranks are 0 to 2") {
            .reduce($0, .float32, .sum, root: 3)
        },
        Refusal("reduce to a shorter buffer", "the input has 10 elements, the output 9") {
            .reduce(from: input($0, 0..<40), into: part($0, 48..<84), .float32, .sum, root: 1)
        },
        Refusal("reduce overlap", "input and output overlap; use the in-place form") {
            .reduce(from: input($0, 0..<40), into: part($0, 20..<60), .float32, .sum, root: 1)
        },
        Refusal("gather root", "there is no rank -2 to be the root") { .gather($0, .int8, root: -2) },
        Refusal("gather share on the root", "the input has 4 elements; this rank's share of 10 is 3") {
            .gather(from: input($0, 0..<16), into: part($0, 48..<88), .float32, root: 1)
        },
        Refusal("gather share elsewhere", "the input has 4 elements; this rank's share of 10 is 3") {
            .gather(from: input($0, 0..<16), into: part($0, 48..<48), .float32, count: 10, root: 0)
        },
        Refusal("gather into too little", "the output has 9 elements, the whole 10") {
            .gather(from: input($0, 0..<12), into: part($0, 48..<84), .float32, count: 10, root: 1)
        },
        Refusal("gather of less than nothing", "the count is -1; it must not be negative") {
            .gather(from: input($0, 0..<12), into: part($0, 48..<48), .float32, count: -1, root: 0)
        },
        Refusal("gather without counts", "there are no counts; the root needs them") {
            .gather(from: input($0, 0..<12), into: part($0, 48..<84), .float32, counts: [], root: 1)
        },
        Refusal("gather in place without counts", "there are no counts; in place, every rank needs them") {
            .gather($0, .float32, counts: [], root: 0)
        },
        Refusal("gather's own count", "the input has 3 elements; this rank's share by the counts is 4") {
            .gather(from: input($0, 0..<12), into: part($0, 48..<48), .float32, counts: [5, 4, 3], root: 0)
        },
        Refusal("scatter share", "the output has 4 elements; this rank's share of 10 is 3") {
            .scatter(from: input($0, 0..<40), into: part($0, 48..<64), .float32, root: 1)
        },
        Refusal("scatter of too little", "the input has 9 elements, the whole 10") {
            .scatter(from: input($0, 0..<36), into: part($0, 48..<60), .float32, count: 10, root: 1)
        },
        Refusal("scatter's counts", "the counts add up to 11 elements, the input has 10") {
            .scatter(from: input($0, 0..<40), into: part($0, 48..<60), .float32, counts: [5, 3, 3], root: 1)
        },
        Refusal("too few counts", "there are 2 counts; give one for each of the 3 ranks") {
            .allGather($0, .float32, counts: [12, 12])
        },
        Refusal("too many counts", "there are 4 counts; give one for each of the 3 ranks") {
            .reduceScatter($0, .float32, .sum, counts: [6, 6, 6, 6])
        },
        Refusal("a negative count", "the counts have -1 elements for rank 2; they must not be negative") {
            .allGather($0, .float32, counts: [12, 13, -1])
        },
        Refusal("counts of another buffer", "the counts add up to 23 elements, the buffer has 24") {
            .reduceScatter($0, .float32, .sum, counts: [12, 11, 0])
        },
        Refusal("counts beyond any buffer", "the counts add up to \(Int.max) elements, the buffer has 24") {
            .allGather($0, .float32, counts: [.max, .max, 2])
        },
        Refusal("all-gather by counts", "the input has 2 elements; this rank's share by the counts is 3") {
            .allGather(from: input($0, 0..<8), into: part($0, 48..<88), .float32, counts: [5, 3, 2])
        },
        Refusal(
            "uneven blocks", "10 elements cannot be split into 3 blocks of one size; use the form with counts"
        ) {
            .allToAll(part($0, 0..<40), .float32)
        },
        Refusal("blocks of other buffers", "the input has 6 elements, the output 9") {
            .allToAll(from: input($0, 0..<24), into: part($0, 48..<84), .float32)
        },
        Refusal("all-to-all overlap", "input and output overlap; use the in-place form") {
            .allToAll(from: input($0, 0..<24), into: part($0, 0..<24), .float32)
        },
        Refusal("what is sent", "the counts add up to 5 elements, the input has 6") {
            .allToAll(
                from: input($0, 0..<24), counts: [1, 2, 2], into: part($0, 48..<72),
                receiveCounts: [2, 2, 2],
                .float32)
        },
        Refusal("what is received", "the receive counts add up to 7 elements, the output has 6") {
            .allToAll(
                from: input($0, 0..<24), counts: [2, 2, 2], into: part($0, 48..<72),
                receiveCounts: [3, 2, 2],
                .float32)
        },
        Refusal("receive counts", "there are 2 receive counts; give one for each of the 3 ranks") {
            .allToAll(
                from: input($0, 0..<24), counts: [2, 2, 2], into: part($0, 48..<72), receiveCounts: [3, 3],
                .float32)
        },
        Refusal("what stays here", "this rank sends itself 2 elements and receives 3 of them") {
            .allToAll(
                from: input($0, 0..<24), counts: [2, 2, 2], into: part($0, 48..<72),
                receiveCounts: [3, 3, 0],
                .float32)
        },
        Refusal("a message to oneself", "a rank cannot send to itself") {
            .send(input($0, 0..<24), .float32, to: 1)
        },
        Refusal("a message from oneself", "a rank cannot receive from itself") {
            .receive(into: $0, .float32, from: 1)
        },
        Refusal("a message to nobody", "there is no rank 3 to send to; ranks are 0 to 2") {
            .send(input($0, 0..<24), .float32, to: 3)
        },
        Refusal("a message from nobody", "there is no rank -1 to receive from; ranks are 0 to 2") {
            .receive(into: $0, .float32, from: -1)
        },
        Refusal(
            "half an element sent", "the input has 6 bytes, which is not a whole number of float32 elements"
        ) {
            .send(input($0, 0..<6), .float32, to: 0)
        },
    ]

    @Test func refused() async throws {
        let group = try await RankGroup.connect(3)
        let network = try #require(group.network)
        let links = network.linkCount
        let communicator = group.communicators[1]
        for refusal in Self.refusals + Self.furtherRefusals {
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
