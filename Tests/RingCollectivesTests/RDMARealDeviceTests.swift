import RingCore
import RingPlan
import RingSystem
import Testing

@testable import RingCollectives

/// Collectives over the RDMA device that this machine has. They run where `RING_TEST_RDMA` says that it has one.
@Suite(.serialized, .enabled(if: ProcessEnvironment.variables["RING_TEST_RDMA"] != nil))
struct RDMARealDeviceTests {
    private static func options() -> RankOptions {
        var options = RankOptions()
        options.wire = .rdmaDevice
        return options
    }

    @Test(arguments: Collective.allCases.filter { $0 != .sendReceive }, [2, 3])
    func everyCollective(collective: Collective, worldSize: Int) async throws {
        try await withRanks(worldSize, Self.options()) { communicator in
            for count in [0, 1, 1000, 100_003] {
                try Exercise(
                    collective: collective, count: collective == .allToAll ? count * worldSize : count,
                    root: worldSize - 1
                ).run(on: communicator)
            }
        }
    }

    @Test(arguments: DataType.allCases) func everyType(dataType: DataType) async throws {
        try await withRanks(2, Self.options()) { communicator in
            for op in ReductionOperator.allCases {
                try Exercise(collective: .allReduce, count: 5003, dataType: dataType, op: op)
                    .run(on: communicator)
            }
        }
    }

    /// Without copies, by algorithms that reduce and store in different orders; and with plain memory on one rank.
    @Test(arguments: ["ring", "recursive-doubling", "direct", "double-binary-tree"], [2, 3])
    func registeredBuffers(algorithm: String, worldSize: Int) async throws {
        try await withRanks(worldSize, Self.options()) { communicator in
            for count in [1, 5000, 60_007] {
                let buffer = try communicator.makeBuffer(of: Int32.self, count: count)
                let plain = UnsafeMutableBufferPointer<Int32>.allocate(capacity: count)
                defer { plain.deallocate() }
                for round in 0..<3 {
                    let isPlain = round == 2 && communicator.rank == 0
                    let elements = isPlain ? plain : buffer.elements
                    for index in 0..<count {
                        elements[index] = Int32((index % 1009 + round) * (communicator.rank + 1))
                    }
                    // By the buffer or by its address.
                    let operation: CollectiveOperation =
                        round == 0 ? .allReduce(buffer, .sum) : .allReduce(elements, .sum)
                    let copied = communicator.copiedBytes
                    try communicator.run(operation.using(Algorithm(name: algorithm)))
                    if algorithm == "ring", count == 60_007, round < 2 {
                        #expect(communicator.copiedBytes == copied)
                    }
                    let factor = worldSize * (worldSize + 1) / 2
                    for index in 0..<count where elements[index] != Int32((index % 1009 + round) * factor) {
                        throw Wrong(description: "element \(index) of \(count) is wrong in round \(round)")
                    }
                }
            }
        }
    }

    @Test func severalChannels() async throws {
        var options = Self.options()
        options.transport.channels = 2
        try await withRanks(2, options) { communicator in
            #expect(communicator.transportName == "rdma")
            try Exercise(collective: .allReduce, count: 1 << 20).run(on: communicator)
        }
    }
}
