import Logging
import RingCore
import RingSystem
import RingTransport
import Synchronization

/// Runs a communicator's operations in the order in which they were submitted.
///
/// An operation that is run by its caller while nothing else goes on is driven by the caller's own thread, which
/// saves two thread switches; the others are driven by the engine's progress thread, which takes in hand whatever has
/// been submitted: the next operation begins while the last bytes of the one before are on their way.
final class Engine: Sendable {
    struct State {
        var queue: [Work] = []
        var queueHead = 0
        /// Whether somebody drives the runner.
        var isRunning = false
        /// Whether that is the progress thread, which looks at the queue as it goes.
        var isServing = false
        var isClosed = false
        /// Whether ``Engine/close()`` has the runner, for good.
        var isTaken = false
        var failure: CollectiveError?
        var nextSequence: UInt64 = 0
        /// What was made of earlier calls.
        var recent = RecentCalls()

        var isQueueEmpty: Bool { queueHead == queue.count }
    }

    let rank: Rank
    private let options: EngineOptions
    let context: RunnerContext
    private let cache: PlanCache
    let seat: Seat
    /// The channels beyond the first.
    private let channels: [Channel]
    /// What they work at together with the first.
    private let shared: SharedOperation
    let state = Monitor(State())
    /// How often something was submitted, for the progress thread to notice without a lock.
    private let submissions = Atomic(0)
    /// Wakes the progress thread out of a sleep at its links.
    private let nudge: WakeUp
    let logger: Logger
    /// Whether the logger wants to know of every operation.
    let tells: Bool

    /// A runner, for whoever drives it.
    final class Seat: @unchecked Sendable {
        // Whoever has set `State.isRunning` has the use of the first channel's, its worker of any other's.
        let runner: Runner

        init(_ runner: Runner) {
            self.runner = runner
        }
    }

    /// A channel beyond the first: a runner with links and a thread of its own.
    private final class Channel: @unchecked Sendable {
        // The worker's thread alone uses the runner while it has a job; else whoever has the seat.
        let runner: Runner
        let worker: ChannelWorker

        init(_ runner: Runner, _ worker: ChannelWorker) {
            self.runner = runner
            self.worker = worker
        }
    }

    init(
        rank: Rank, worldSize: Int, identifier: LinkIdentifier, options: EngineOptions,
        context: RunnerContext,
        logger: Logger
    ) throws {
        self.rank = rank
        self.options = options
        self.context = context
        self.logger = logger
        tells = logger.logLevel <= .debug
        cache = PlanCache(rank: rank, worldSize: worldSize)
        nudge = try WakeUp()
        seat = Seat(
            Runner(
                rank: rank, worldSize: worldSize, identifier: identifier, options: options, context: context))
        let shared = SharedOperation(nudges: try (0..<max(1, options.channels)).map { _ in try WakeUp() })
        self.shared = shared
        var channels: [Channel] = []
        do {
            for number in 1..<max(1, options.channels) {
                var identifier = identifier
                identifier.channel = UInt16(number)
                let runner = Runner(
                    rank: rank, worldSize: worldSize, identifier: identifier, options: options,
                    context: context)
                let place = Seat(runner)
                let worker = try ChannelWorker(name: "ring-\(rank)-chan-\(number)") {
                    Self.work(place.runner, at: shared)
                }
                channels.append(Channel(runner, worker))
            }
            self.channels = channels
            _ = try SystemThread(name: "ring-\(rank)") { [self] in serve() }
        } catch {
            for channel in channels { channel.worker.stop() }
            throw error
        }
    }

    // MARK: Submitting

    /// Puts operations into the queue, as a group: all are in hand before the first one begins. Throws the cause if the
    /// communicator has failed or is closed.
    func submit(_ requests: [OperationRequest]) throws -> [Work] {
        let works = try requests.map { try makeWork($0) }
        try enqueue { $0.append(contentsOf: works) }
        return works
    }

    /// Puts an operation into the queue.
    func submit(_ request: OperationRequest) throws -> Work {
        let work = try makeWork(request)
        try enqueue { $0.append(work) }
        return work
    }

    private func makeWork(_ request: OperationRequest) throws -> Work {
        var request = request
        let program = try locate(&request)
        return Work(self, request: request, program: program)
    }

    /// Plans an operation ahead. Throws `.invalidArgument` if there is no such plan.
    func plan(_ request: inout OperationRequest) throws {
        request.program = try cache.program(for: request)
    }

    /// Asks the transport what it knows of an operation's memory, and returns the program that goes with that.
    private func locate(_ request: inout OperationRequest) throws -> PlanProgram {
        if request.byteCount >= Self.fewestRegisteredBytes, let transport = context.transport,
            request.compression == nil
        {
            if let input = request.input, transport.isRegistered(input) { request.registered.insert(.input) }
            if let output = request.output, transport.isRegistered(output) {
                request.registered.insert(.output)
            }
            if let fewest = transport.fewestLeasedBytes, request.outputByteCount >= fewest,
                !isDivided(request)
            {
                request.asksForLease = true
            }
        }
        if !request.mayLend, let program = request.program { return program }
        return try cache.program(for: request)
    }

    /// Operations smaller than this need not be asked about.
    static let fewestRegisteredBytes = 4096

    /// What has been copied of operations' elements, by the engine and by the transport.
    var copiedBytes: Int { context.copies.count + (context.transport?.copiedBytes ?? 0) }

    private func enqueue(_ add: (inout [Work]) -> Void) throws {
        try state.withLock(notifying: true) { state throws(CollectiveError) in
            try Self.checkOpen(state, rank: rank)
            add(&state.queue)
            submissions.add(1, ordering: .releasing)
            if state.isServing { nudge.set() }
        }
    }

    /// Runs an operation to its end, on the caller's thread if nothing else is going on, and keeps what was in hand for the
    /// `call` that it is.
    func run(_ request: consuming OperationRequest, as call: RecentCall?) throws -> OperationStatistics {
        let program = try locate(&request)
        guard let sequence = try takeTurn(numbering: request.message == nil ? 1 : 0) else {
            let work = try submit(request)
            try work.wait()
            return work.statistics!
        }
        let statistics: OperationStatistics
        do {
            if isDivided(request) {
                statistics = try driveDivided(request, program, sequence: sequence)
            } else {
                statistics = try Self.drive(seat.runner, request, program, sequence: sequence, work: nil)
                if let call { seat.runner.keepHand(for: call) }
            }
        } catch {
            throw giveUp(error)
        }
        release()
        withExtendedLifetime(request.owners) {}
        if tells { tell(statistics, of: request) }
        return statistics
    }

    func tell(_ statistics: OperationStatistics, of request: OperationRequest) {
        logger.debug("rank \(rank): \(request.signature) ended after \(statistics.duration.shortText)")
    }

    /// Runs operations, as a group, to the end of the last; as for one.
    func run(_ requests: [OperationRequest], as call: RecentCall?) throws -> [OperationStatistics] {
        if let statistics = try runHere(requests, as: call) { return statistics }
        let works = try submit(requests)
        // Each is waited for, whatever became of the others: until it has ended it uses the caller's memory.
        let outcomes = works.map { work in Result { try work.wait() } }
        for outcome in outcomes { try outcome.get() }
        return works.map { $0.statistics! }
    }

    /// Runs a group on the caller's thread, if nothing else is going on and all of it can be in hand at once; else nil.
    private func runHere(
        _ requests: [OperationRequest], as call: RecentCall?
    ) throws -> [OperationStatistics]? {
        guard requests.count <= Self.groupLimit else { return nil }
        let parts = try requests.map { request in
            var request = request
            let program = try locate(&request)
            return (request: request, program: program)
        }
        let scratch = parts.reduce(0) { $0 + $1.program.scratchByteCount + 64 }
        let collectives = parts.count { $0.request.message == nil }
        guard scratch <= Self.sharedScratch, !parts.contains(where: { isDivided($0.request) }),
            var sequence = try takeTurn(numbering: UInt64(collectives))
        else { return nil }
        var statistics: [OperationStatistics] = []
        statistics.reserveCapacity(parts.count)
        do {
            let runner = seat.runner
            runner.reserveScratch(scratch)
            for (request, program) in parts {
                try runner.append(request, program, sequence: sequence, work: nil)
                if request.message == nil { sequence += 1 }
            }
            try runner.drive(nudge: nil) {
                runner.endFinished { statistics.append($1) }
                return statistics.count == parts.count
            }
            if let call { runner.keepHand(for: call) }
        } catch { throw giveUp(error) }
        release()
        return statistics
    }

    /// Ends the engine: what has been submitted is waited for, for a while, and the links are closed. What has not begun by
    /// then fails with `.closed`.
    func close() {
        state.withLock(notifying: true) { $0.isClosed = true }
        if !takeOver(within: .seconds(5)), let watchdog = context.watchdog {
            let abandoned = state.withLock(notifying: true) { state in
                defer { Self.clear(&state) }
                return Array(state.queue[state.queueHead...])
            }
            for work in abandoned { work.finish(.failure(Self.closedError(rank: rank))) }
            // What still runs uses its caller's memory: it must not go on unseen.
            watchdog.announce(
                Verdict(
                    code: .closed, message: "rank \(rank) closed its communicator while an operation ran",
                    culprit: rank))
        }
        guard takeOver(within: .seconds(2)) else { return }
        if let note = seat.runner.mailbox.note { logger.warning("\(note)") }
        // What is remembered holds links. It goes when nothing is locked.
        var recent = RecentCalls()
        state.withLock { swap(&$0.recent, &recent) }
        // A peer that still needs this rank finds out from the links' end, not from its deadline.
        seat.runner.closeLinks()
        for channel in channels {
            channel.runner.closeLinks()
            channel.worker.stop()
        }
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

    /// Ends an operation before its time, and with it the communicator on all ranks.
    func cancel(_ work: Work) {
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

    private static func closedError(rank: Rank) -> CollectiveError {
        CollectiveError(.closed, "rank \(rank)'s communicator has been closed", peer: rank)
    }

    private static func clear(_ state: inout State) {
        state.queue = []
        state.queueHead = 0
    }

    // MARK: Turns

    /// Takes the runner for the calling thread, and so many sequence numbers; nil if something else goes on.
    private func takeTurn(numbering count: UInt64) throws -> UInt64? {
        try state.withLock { state throws(CollectiveError) -> UInt64? in
            try Self.checkOpen(state, rank: rank)
            guard !state.isRunning, state.isQueueEmpty else { return nil }
            state.isRunning = true
            defer { state.nextSequence += count }
            return state.nextSequence
        }
    }

    func release() {
        // Waking the progress thread for nothing would cost a small operation more than all the rest.
        state.update { state in
            state.isRunning = false
            return !state.isQueueEmpty || state.isClosed
        }
    }

    /// Waits until no operation runs or is queued, and lets none begin after that.
    private func takeOver(within limit: Duration) -> Bool {
        state.wait(until: .after(limit)) { state -> Bool? in
            if state.isTaken { return true }
            guard !state.isRunning, state.isQueueEmpty else { return nil }
            (state.isRunning, state.isTaken) = (true, true)
            return true
        } ?? false
    }

    // MARK: Running

    /// Runs an operation to its end on a runner that nothing else uses.
    private static func drive(
        _ runner: Runner, _ request: OperationRequest, _ program: PlanProgram, sequence: UInt64, work: Work?
    ) throws -> OperationStatistics {
        var statistics: OperationStatistics?
        try runner.append(request, program, sequence: sequence, work: work)
        try runner.drive(nudge: nil) { runner.endFinished { statistics = $1 } }
        return statistics!
    }

    /// How many channels an operation is divided among. All ranks find the same number.
    private func width(_ request: OperationRequest) -> Int {
        max(1, min(options.channels, request.byteCount / max(1, options.bytesPerChannel)))
    }

    private func isDivided(_ request: OperationRequest) -> Bool {
        options.channels > 1 && request.message == nil && request.compression == nil && width(request) > 1
    }

    /// Runs an operation on several channels, all of which work at once, to its end.
    private func driveDivided(
        _ request: OperationRequest, _ program: PlanProgram, sequence: UInt64
    ) throws -> OperationStatistics {
        let runner = seat.runner
        runner.reserveScratch(program.scratchByteCount)
        let now = Deadline.now
        let (kernel, finalKernel) = runner.kernels(for: request.signature)
        let workers = channels.prefix(width(request) - 1)
        shared.begin(
            SharedOperation.Terms(
                request: request, program: program, sequence: sequence, started: now,
                deadline: now.advanced(by: request.timeout), kernel: kernel, finalKernel: finalKernel,
                scratch: runner.scratch.memory, channels: workers.count + 1))
        defer { shared.end() }
        for channel in workers { channel.worker.begin() }
        Self.work(runner, at: shared)
        for channel in workers { channel.worker.finish() }
        _ = try shared.isOver()
        let wireBytes = shared.wireBytes
        return OperationStatistics(
            wireBytes: wireBytes, elementBytes: wireBytes,
            duration: .nanoseconds(Int64(Deadline.now.nanoseconds - now.nanoseconds)),
            algorithm: request.algorithm)
    }

    /// One channel's part of an operation; if it fails, the others end too.
    private static func work(_ runner: Runner, at shared: SharedOperation) {
        do { try runner.work(at: shared) } catch { shared.fail(error) }
    }

    // MARK: The progress thread

    private func serve() {
        while waitForWork() {
            do {
                var seen = -1
                let runner = seat.runner
                try runner.drive(nudge: nudge) {
                    // What ends makes room for more, some of which may have nothing to wait for.
                    repeat {
                        let submitted = submissions.load(ordering: .acquiring)
                        guard submitted != seen || runner.isIdle else { continue }
                        seen = submitted
                        if try !admit(to: runner) { seen = -1 }
                    } while runner.endFinished { $0?.finish(.success($1)) }
                    return runner.isIdle
                }
                state.withLock { $0.isServing = false }
                release()
            } catch {
                state.withLock { $0.isServing = false }
                _ = giveUp(error)
            }
        }
    }

    /// Waits for the queue to have something, and takes the runner; false once the engine is closed and nothing is left.
    private func waitForWork() -> Bool {
        while true {
            let next = state.wait(until: .after(.seconds(3600))) { state -> Bool? in
                if state.isClosed, state.isQueueEmpty { return false }
                guard !state.isRunning, !state.isQueueEmpty else { return nil }
                (state.isRunning, state.isServing) = (true, true)
                return true
            }
            if let next { return next }
        }
    }

    /// Takes in hand what has been submitted; false if there was no room for all of it.
    private func admit(to runner: Runner) throws -> Bool {
        while true {
            let next = state.withLock { state -> (work: Work, sequence: UInt64)? in
                guard !state.isQueueEmpty else { return nil }
                let work = state.queue[state.queueHead]
                guard
                    isDivided(work.request)
                        ? runner.isIdle : runner.hasRoom(for: work.request, work.program)
                else { return nil }
                if runner.isIdle {
                    let scratch = state.queue[state.queueHead...].prefix(Self.groupLimit).reduce(0) {
                        $0 + $1.program.scratchByteCount + 64
                    }
                    runner.reserveScratch(
                        min(scratch, max(Self.sharedScratch, work.program.scratchByteCount)))
                }
                state.queueHead += 1
                if state.isQueueEmpty || state.queueHead >= 256 {
                    state.queue.removeFirst(state.queueHead)
                    state.queueHead = 0
                }
                guard work.request.message == nil else { return (work, state.nextSequence) }
                defer { state.nextSequence += 1 }
                return (work, state.nextSequence)
            }
            guard let next else { return state.withLock { $0.isQueueEmpty } }
            let (work, sequence) = next
            if isDivided(work.request) {
                do {
                    work.finish(
                        .success(try driveDivided(work.request, work.program, sequence: sequence)))
                } catch {
                    let cause = judge(error)
                    work.finish(.failure(cause))
                    throw cause
                }
            } else {
                try runner.append(work.request, work.program, sequence: sequence, work: work)
            }
        }
    }

    /// How many queued operations are looked at to provide memory for all, and how much at the most.
    private static let groupLimit = 64
    private static let sharedScratch = 64 << 20

    // MARK: Failure

    /// Finds out why an operation has failed, and ends everything with that cause.
    func giveUp(_ error: any Error) -> CollectiveError {
        seat.runner.announceFirst()
        var cause = judge(error)
        if let note = seat.runner.mailbox.note { cause.message += "; \(note)" }
        let abandoned = seat.runner.abandon()
        fail(cause)
        context.watchdog?.ended()
        release()
        for operation in abandoned { operation.work?.finish(.failure(cause)) }
        return cause
    }
}
