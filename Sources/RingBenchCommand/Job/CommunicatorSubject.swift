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

    /// What a call runs. Operations are big, and not copied to be run.
    enum Operation {
        case one(CollectiveOperation)
        case inTurns(CollectiveOperation, CollectiveOperation)
        case group([CollectiveOperation])
    }

    func prepare(_ call: CollectiveCall) throws -> Operation {
        let group = CollectiveBenchmarks.benchmark(for: call.collective).operations(call).map { operation in
            var operation = operation
            operation.algorithm = call.algorithm.map { Algorithm(name: $0) } ?? .automatic
            operation.timeout = call.timeout
            return operation.compressed(call.compression)
        }
        if call.isPingPong {
            return call.rank == 0 ? .inTurns(group[0], group[1]) : .inTurns(group[1], group[0])
        }
        return group.count == 1 ? .one(group[0]) : .group(group)
    }

    func run(_ operation: Operation) throws {
        switch operation {
        case .one(let operation): try communicator.run(operation)
        case .inTurns(let first, let second):
            try communicator.run(first)
            try communicator.run(second)
        case .group(let group): try communicator.run(group: group)
        }
    }

    /// Through a handle, so that the check of its result covers this way of calling as well.
    func runCounting(_ operation: Operation) throws -> OperationFigures {
        var statistics: [OperationStatistics] = []
        func wait(_ work: Work) throws {
            try work.wait()
            guard let cost = work.statistics else {
                preconditionFailure("an operation that has ended well has statistics")
            }
            statistics.append(cost)
        }
        switch operation {
        case .one(let operation): try wait(communicator.start(operation))
        case .inTurns(let first, let second):
            try wait(communicator.start(first))
            try wait(communicator.start(second))
        case .group(let group): for work in try communicator.start(group: group) { try wait(work) }
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
