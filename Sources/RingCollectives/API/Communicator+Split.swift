import RingCore
import RingPlan
import RingSystem
import RingTransport

// New communicators of some or all of a communicator's ranks.
//
// They run side by side with it and with each other, each over links, an engine and a watchdog of its own, and each
// lives until it is closed itself: the one that was split may be closed, or fail, before them. What they share is the
// transport, which ends with the last of them.

extension Communicator {
    /// Makes new communicators, one of all ranks that give the same color; nil for a rank that gives none.
    ///
    /// A collective call: all ranks make it, in the same order as all others, each with a color and key of its own. In
    /// the new communicator ranks are numbered by `key`, and by their number here where keys are the same;
    /// ``members`` says who is who. One all-gather of 25 bytes a rank, then links to the new communicator's rank 0.
    ///
    /// An operation that fails in the new communicator makes that one fail and no other; a process that dies
    /// makes all fail to which it belonged. Should ranks not reach each other, the call throws and this communicator
    /// stays usable. `timeout` bounds the whole call; by default it is the communicator's.
    public func split(color: Int?, key: Int = 0, timeout: Duration? = nil) async throws -> Communicator? {
        let exchange = try SplitExchange(self, .split, color: color, key: key, timeout: timeout)
        try await start(exchange.request).value
        return try await form(exchange)
    }

    /// As the asynchronous form; blocks.
    public func split(color: Int?, key: Int = 0, timeout: Duration? = nil) throws -> Communicator? {
        let exchange = try SplitExchange(self, .split, color: color, key: key, timeout: timeout)
        try run(exchange.request)
        return try formBlocking(exchange)
    }

    /// Makes a new communicator of the same ranks, with the same numbers; all make the call.
    ///
    /// A library that communicates over one of its own cannot get out of step with the program that it serves.
    public func duplicate(timeout: Duration? = nil) async throws -> Communicator {
        let exchange = try SplitExchange(self, .duplicate, color: 0, key: 0, timeout: timeout)
        try await start(exchange.request).value
        return try await form(exchange)!
    }

    /// As the asynchronous form; blocks.
    public func duplicate(timeout: Duration? = nil) throws -> Communicator {
        let exchange = try SplitExchange(self, .duplicate, color: 0, key: 0, timeout: timeout)
        try run(exchange.request)
        return try formBlocking(exchange)!
    }

    private func form(_ exchange: SplitExchange) async throws -> Communicator? {
        // Connecting blocks its thread, which must not be one of the cooperative pool's.
        try await withCheckedThrowingContinuation { continuation in
            do {
                _ = try SystemThread(name: "ring-split") { [self] in
                    continuation.resume(with: Result { try formBlocking(exchange) })
                }
            } catch {
                continuation.resume(throwing: error)
            }
        }
    }

    /// Connects this rank's part of what was agreed upon.
    private func formBlocking(_ exchange: SplitExchange) throws -> Communicator? {
        guard let part = try exchange.table(roster, jobSize: parts.job?.worldSize ?? 1).part() else {
            return nil
        }
        guard part.members.count > 1, let job = parts.job, let reaction = parts.reaction else {
            return try Self.single(part, settings: settings)
        }
        let transport = CommunicatorTransport(job: job, roster: part)
        do {
            return try reaction.whileForming(transport) {
                let links = try ControlStar.connect(
                    rank: part.rank, worldSize: part.members.count, transport: transport,
                    identifier: LinkIdentifier(
                        communicator: part.communicator, channel: LinkIdentifier.controlChannel),
                    deadline: exchange.deadline, timeout: exchange.timeout, lossCheck: {})
                return try Self.assemble(job: job, transport: transport, links: links, settings: settings)
            }
        } catch {
            transport.shutdown()
            throw (error as? CollectiveError).map { part.explain($0) } ?? error
        }
    }
}

/// The all-gather by which ranks agree on the parts of a communicator.
private final class SplitExchange: Sendable {
    let request: OperationRequest
    let timeout: Duration
    let deadline: Deadline
    /// The records of all ranks, where the all-gather collects them.
    private let records: ArrayLease<UInt8>

    init(_ parent: Communicator, _ code: AlgorithmCode, color: Int?, key: Int, timeout: Duration?) throws {
        let timeout = timeout ?? parent.settings.timeout
        guard timeout > .zero else {
            throw parent.roster.explain(
                CollectiveError(
                    .invalidArgument,
                    "rank \(parent.rank): \(code): the timeout is \(timeout.shortText); it must be positive",
                    peer: parent.rank))
        }
        self.timeout = timeout
        deadline = .after(timeout)
        let size = SplitRecord.byteCount
        let own = SplitRecord(color: color, key: key, number: parent.parts.job?.reserveNumber() ?? 0)
        var bytes = [UInt8](repeating: 0, count: parent.worldSize * size)
        bytes.replaceSubrange((parent.rank * size)..<((parent.rank + 1) * size), with: own.bytes)
        records = ArrayLease(bytes)
        records.makeUnique()
        // The code tells it from a program's own all-gather, which must not be taken for one.
        request = records.withPointer { buffer in
            OperationRequest(
                signature: OperationSignature(
                    collective: .allGather, dataType: .uint8, op: nil, elementCount: buffer.count, root: nil,
                    algorithm: code),
                algorithm: parent.chooser.name(
                    .allGather, OperationShape(elementCount: buffer.count), elementSize: 1, isInPlace: true),
                isInPlace: true, input: nil, output: UnsafeMutableRawPointer(buffer.baseAddress),
                timeout: timeout)
        }
    }

    /// What all ranks have said, once the all-gather has ended.
    func table(_ parent: Roster, jobSize: Int) throws -> SplitTable {
        let size = SplitRecord.byteCount
        let bytes = records.elements
        let records = try parent.members.indices.map { rank in
            do {
                return try SplitRecord(Array(bytes[(rank * size)..<((rank + 1) * size)]))
            } catch {
                throw CollectiveError(
                    .protocolViolation, "rank \(rank) sent an unreadable record for a split", peer: rank,
                    cause: error)
            }
        }
        return SplitTable(records: records, parent: parent, jobSize: jobSize)
    }
}
