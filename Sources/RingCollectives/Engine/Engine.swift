import Logging
import RingCore
import RingSystem
import RingTransport
import Synchronization

/// Runs a communicator's operations, one after the other in the order in which they were submitted.
///
/// An operation that is run by its caller while nothing else goes on is driven by the caller's own thread, which
/// saves two thread switches; the others are driven by the engine's progress thread.
final class Engine: Sendable {
    private struct State {
        var queue: [Work] = []
        var queueHead = 0
        var isRunning = false
        var isClosed = false
        /// Whether ``Engine/close()`` has the runners, for good.
        var isTaken = false
        var failure: CollectiveError?
        var nextSequence: UInt64 = 0
    }

    private let rank: Rank
    private let worldSize: Int
    private let options: EngineOptions
    private let context: RunnerContext
    private let cache: PlanCache
    private let crew: Crew
    private let state = Monitor(State())
    private let logger: Logger

    /// The channels with their threads.
    private final class Crew: @unchecked Sendable {
        // Whoever has set `State.isRunning` has the use of them, one operation at a time.
        let runners: [ChannelRunner]
        let workers: [ChannelWorker]

        init(runners: [ChannelRunner], workers: [ChannelWorker]) {
            self.runners = runners
            self.workers = workers
        }
    }

    init(
        rank: Rank, worldSize: Int, identifier: LinkIdentifier, options: EngineOptions,
        context: RunnerContext,
        logger: Logger
    ) throws {
        self.rank = rank
        self.worldSize = worldSize
        self.options = options
        self.context = context
        self.logger = logger
        cache = PlanCache(rank: rank, worldSize: worldSize)
        let runners = (0..<options.channels).map { channel in
            var identifier = identifier
            identifier.channel = UInt16(channel)
            return ChannelRunner(channel: channel, identifier: identifier, options: options, context: context)
        }
        var workers: [ChannelWorker] = []
        do {
            for channel in 1..<max(1, options.channels) {
                workers.append(try ChannelWorker(name: "ring-\(rank)-chan-\(channel)"))
            }
            crew = Crew(runners: runners, workers: workers)
            _ = try SystemThread(name: "ring-\(rank)") { [self] in runQueue() }
        } catch {
            for worker in workers { worker.stop() }
            throw error
        }
    }

    // MARK: Submitting

    /// Puts an operation into the queue. Throws the cause if the communicator has failed or is closed.
    func submit(_ request: OperationRequest) throws -> Work {
        let programs = try prepare(request)
        let work = Work(request: request, programs: programs) { [weak self] in self?.cancel($0) }
        try state.withLock(notifying: true) { state throws(CollectiveError) in
            try Self.checkOpen(state, rank: rank)
            state.queue.append(work)
        }
        return work
    }

    /// Runs an operation to its end, on the caller's thread if nothing else is going on.
    func run(_ request: OperationRequest) throws -> OperationStatistics {
        let programs = try prepare(request)
        let sequence = try state.withLock { state throws(CollectiveError) -> UInt64? in
            try Self.checkOpen(state, rank: rank)
            guard !state.isRunning, state.queueHead == state.queue.count else { return nil }
            state.isRunning = true
            defer { state.nextSequence += 1 }
            return state.nextSequence
        }
        guard let sequence else {
            let work = try submit(request)
            try work.wait()
            return work.statistics!
        }
        let result = execute(request, programs, sequence: sequence)
        release()
        return try result.get()
    }

    /// Puts operations into the queue, in their order.
    func submit(_ requests: [OperationRequest]) throws -> [Work] {
        try requests.map { try submit($0) }
    }

    /// Runs operations to their end, in their order.
    func run(_ requests: [OperationRequest]) throws -> [OperationStatistics] {
        let works = try submit(requests)
        let outcomes = works.map { work in Result { try work.wait() } }
        for outcome in outcomes { try outcome.get() }
        return works.map { $0.statistics! }
    }

    /// Ends the engine: what is queued fails with `.closed`, what runs is waited for, and the links are closed.
    func close() {
        let abandoned = state.withLock(notifying: true) { state in
            state.isClosed = true
            defer { Self.clear(&state) }
            return Array(state.queue[state.queueHead...])
        }
        for work in abandoned { work.finish(.failure(Self.closedError(rank: rank))) }
        if !takeTurn(within: .seconds(5)), let watchdog = context.watchdog {
            // What still runs uses its caller's memory: it must not go on unseen.
            watchdog.announce(
                Verdict(
                    code: .closed, message: "rank \(rank) closed its communicator while an operation ran",
                    culprit: rank))
        }
        let isIdle = takeTurn(within: .seconds(2))
        // A peer that still needs this rank finds out from the links' end, not from its deadline.
        if isIdle { for runner in crew.runners { runner.closeLinks() } }
        for worker in crew.workers { worker.stop() }
    }

    /// The communicator has failed: nothing that has not begun will.
    func fail(_ error: CollectiveError) {
        let abandoned = state.withLock(notifying: true) { state -> [Work]? in
            guard state.failure == nil else { return nil }
            state.failure = error
            defer { Self.clear(&state) }
            return Array(state.queue[state.queueHead...])
        }
        guard let abandoned else { return }
        logger.info("rank \(rank)'s communicator has failed: \(error)")
        for work in abandoned { work.finish(.failure(error)) }
    }

    private func prepare(_ request: OperationRequest) throws -> [PlanProgram] {
        let wanted = request.byteCount / max(1, options.bytesPerChannel)
        return try cache.programs(for: request, channels: max(1, min(options.channels, wanted)))
    }

    private func cancel(_ work: Work) {
        guard let watchdog = context.watchdog, !work.isFinished else { return }
        watchdog.announce(
            Verdict(
                code: .cancelled, message: "rank \(rank) cancelled an operation: \(work.request.signature)",
                culprit: rank))
    }

    private static func checkOpen(_ state: State, rank: Rank) throws(CollectiveError) {
        if let failure = state.failure { throw failure }
        if state.isClosed { throw closedError(rank: rank) }
    }

    /// Waits until no operation runs, and lets none begin after that.
    private func takeTurn(within limit: Duration) -> Bool {
        state.wait(until: .after(limit)) { state -> Bool? in
            if state.isTaken { return true }
            guard !state.isRunning else { return nil }
            (state.isRunning, state.isTaken) = (true, true)
            return true
        } ?? false
    }

    private static func closedError(rank: Rank) -> CollectiveError {
        CollectiveError(.closed, "rank \(rank)'s communicator has been closed", peer: rank)
    }

    private static func clear(_ state: inout State) {
        state.queue = []
        state.queueHead = 0
    }

    // MARK: Running

    /// The progress thread.
    private func runQueue() {
        while let (work, sequence) = nextWork() {
            let result = execute(work.request, work.programs, sequence: sequence)
            release()
            work.finish(result)
        }
    }

    /// The next operation in the queue, with its number; nil once the engine is closed.
    private func nextWork() -> (Work, UInt64)? {
        while true {
            let next = state.wait(until: .after(.seconds(3600))) { state -> (Work, UInt64)?? in
                if state.isClosed { return .some(nil) }
                guard !state.isRunning, state.queueHead < state.queue.count else { return nil }
                let work = state.queue[state.queueHead]
                state.queueHead += 1
                if state.queueHead == state.queue.count || state.queueHead >= 256 {
                    state.queue.removeFirst(state.queueHead)
                    state.queueHead = 0
                }
                state.isRunning = true
                defer { state.nextSequence += 1 }
                return .some((work, state.nextSequence))
            }
            if let next { return next }
        }
    }

    private func release() {
        // Waking the progress thread for nothing would cost a small operation more than all the rest.
        state.update { state in
            state.isRunning = false
            return state.queueHead < state.queue.count || state.isClosed
        }
    }

    private func execute(
        _ request: OperationRequest, _ programs: [PlanProgram], sequence: UInt64
    ) -> Result<OperationStatistics, CollectiveError> {
        let started = Deadline.now
        let deadline = started.advanced(by: request.timeout)
        context.watchdog?.began(
            sequence: sequence, signature: request.signature, deadline: deadline, timeout: request.timeout)
        defer { context.watchdog?.ended() }
        let outcomes = Outcomes()
        for channel in programs.indices.dropFirst() {
            crew.workers[channel - 1].begin { [self] in
                outcomes.add(runChannel(channel, programs[channel], request, sequence, deadline))
            }
        }
        outcomes.add(runChannel(0, programs[0], request, sequence, deadline))
        for channel in programs.indices.dropFirst() { crew.workers[channel - 1].finish() }
        let duration = Duration.nanoseconds(Int64(Deadline.now.nanoseconds - started.nanoseconds))
        logger.debug(
            "rank \(rank): operation \(sequence), \(request.signature), ended after \(duration.shortText)")
        return outcomes.total.map { wireBytes in
            OperationStatistics(wireBytes: wireBytes, duration: duration, algorithm: request.algorithm)
        }
    }

    /// What the channels of one operation came to.
    private final class Outcomes: Sendable {
        private let state = Mutex<Result<Int, CollectiveError>>(.success(0))

        func add(_ outcome: Result<Int, CollectiveError>) {
            state.withLock { $0 = $0.flatMap { sum in outcome.map { sum + $0 } } }
        }

        var total: Result<Int, CollectiveError> { state.withLock { $0 } }
    }

    private func runChannel(
        _ channel: Int, _ program: PlanProgram, _ request: OperationRequest, _ sequence: UInt64,
        _ deadline: Deadline
    ) -> Result<Int, CollectiveError> {
        do {
            return .success(
                try crew.runners[channel].run(
                    program, request, sequence: sequence, divisor: worldSize, deadline: deadline))
        } catch {
            let cause = judge(error)
            fail(cause)
            return .failure(cause)
        }
    }

    /// Finds out, with the other ranks' help, why an operation failed.
    private func judge(_ error: any Error) -> CollectiveError {
        guard let watchdog = context.watchdog else { return Self.wrap(error, rank: rank) }
        if let verdict = watchdog.verdict { return verdict.error }
        switch error {
        case let expired as OperationExpired: return watchdog.expired(waitingFor: expired.waitingFor).error
        case let error as CollectiveError where error.code == .timedOut:
            return watchdog.expired(waitingFor: error.peer).error
        case let error as CollectiveError where error.code == .peerLost || error.code == .unreachable:
            guard let peer = error.peer else { return watchdog.report(error).error }
            return watchdog.reportLoss(of: peer, error).error
        default: return watchdog.report(Self.wrap(error, rank: rank)).error
        }
    }

    private static func wrap(_ error: any Error, rank: Rank) -> CollectiveError {
        error as? CollectiveError
            ?? CollectiveError(.system, "rank \(rank): a system call failed", peer: rank, cause: error)
    }
}
