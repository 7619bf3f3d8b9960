import RingCollectives
import RingCore

/// One rank's end of a communicator, as what is measured.
struct CommunicatorSubject: BenchmarkSubject {
    let communicator: Communicator

    var rank: Rank { communicator.rank }
    var worldSize: Int { communicator.worldSize }
    var localRank: Int { communicator.localRank }
    var localWorldSize: Int { communicator.localWorldSize }
    var transportName: String { communicator.transportName }

    func registeredMemory(byteCount: Int) throws -> RegisteredBuffer<UInt8>? {
        try communicator.makeBuffer(count: byteCount)
    }

    /// The operations of a call, one group after the other.
    typealias Operation = [[CollectiveOperation]]

    func prepare(_ call: CollectiveCall) throws -> Operation {
        let group = CollectiveBenchmarks.benchmark(for: call.collective).operations(call).map { operation in
            var operation = operation
            operation.algorithm = call.algorithm.map { Algorithm(name: $0) } ?? .automatic
            operation.timeout = call.timeout
            return operation.compressed(call.compression)
        }
        guard call.isPingPong else { return [group] }
        let turns = group.map { [$0] }
        return call.rank == 0 ? turns : turns.reversed()
    }

    func run(_ operation: Operation) throws {
        for group in operation {
            if group.count == 1 {
                try communicator.run(group[0])
            } else {
                try communicator.run(group: group)
            }
        }
    }

    /// Through a handle, so that the check of its result covers this way of calling as well.
    func runCounting(_ operation: Operation) throws -> OperationFigures {
        var statistics: [OperationStatistics] = []
        for group in operation {
            let works =
                group.count == 1
                ? [try communicator.start(group[0])] : try communicator.start(group: group)
            for work in works {
                try work.wait()
                guard let cost = work.statistics else {
                    preconditionFailure("an operation that has ended well has statistics")
                }
                statistics.append(cost)
            }
        }
        return OperationFigures(
            wireBytes: statistics.reduce(0) { $0 + $1.wireBytes },
            elementBytes: statistics.reduce(0) { $0 + $1.elementBytes }, algorithm: statistics[0].algorithm)
    }

    func barrier() throws {
        try communicator.barrier()
    }

    func combine(_ values: [Double], _ op: ReductionOperator) throws -> [Double] {
        var combined = values
        var span = combined.mutableSpan
        try communicator.allReduce(&span, op)
        return combined
    }
}
