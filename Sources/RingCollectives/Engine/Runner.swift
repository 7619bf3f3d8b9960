import RingCore
import RingKernels
import RingPlan
import RingSystem
import RingTransport

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Runs operations over this rank's links, any number at a time.
///
/// One thread at a time uses it. A transfer is done byte by byte as far as its gates allow, all transfers of all
/// links in turns; when no byte can move, the thread spins for a short while and then sleeps in the kernel.
///
/// On every link the transfers of an earlier operation go before those of a later one, on all ranks alike. So however
/// ranks come to have several in hand at different times, no operation ever waits for one after it.
///
/// What small operations touch often is not checked for exclusive access at run time, which took a tenth of their time.
final class Runner {
    let rank: Rank
    let worldSize: Int
    let identifier: LinkIdentifier
    let options: EngineOptions
    let context: RunnerContext

    /// The lanes that have been made, by peer.
    private var dataLanes: [Rank: Lane] = [:]
    private var messageLanes: [Rank: Lane] = [:]
    /// The lanes with something to do.
    @exclusivity(unchecked) var lanes: [Lane] = []
    /// Those of them whose links are not made yet.
    @exclusivity(unchecked) private(set) var unlinked: [Lane] = []
    let scratch = Scratch()
    /// Memory for compressed segments.
    private let segments = SegmentPool()
    @exclusivity(unchecked) var scratchUsed = 0
    /// Messages that have arrived and that nobody has asked for yet.
    @exclusivity(unchecked) var mailbox: Mailbox

    /// The operations in hand, in order, and those that have ended before them.
    @exclusivity(unchecked) var active: [ActiveOperation] = []
    /// The first of ``active`` that has not ended.
    @exclusivity(unchecked) var firstActive = 0
    /// How many bytes of each transfer are done.
    @exclusivity(unchecked) var done: [Int] = []
    @exclusivity(unchecked) var isComplete: [Bool] = []
    /// The operation that this channel works at together with others, and the last that it has seen of it.
    @exclusivity(unchecked) private(set) var shared: SharedOperation?
    var seenVersion: UInt64 = 0
    /// A frame of another operation than the one expected, until when others are waited for to say more of it.
    @exclusivity(unchecked) var stray: (error: CollectiveError, due: Deadline)?
    /// The local copies that are not done.
    @exclusivity(unchecked) var copies: [Lane.Item] = []
    /// Whether something has moved since they were looked at.
    @exclusivity(unchecked) var areCopiesDue = true
    /// Whether the watchdog knows of the first operation in hand.
    @exclusivity(unchecked) var isAnnounced = false
    /// The call that has been taken up, see ``Hand``.
    @exclusivity(unchecked) var loaded: RecentCall?
    @exclusivity(unchecked) var descriptors: [pollfd] = []
    @exclusivity(unchecked) var patience: Patience

    init(
        rank: Rank, worldSize: Int, identifier: LinkIdentifier, options: EngineOptions, context: RunnerContext
    ) {
        self.rank = rank
        self.worldSize = worldSize
        self.identifier = identifier
        self.options = options
        self.context = context
        patience = Patience(
            longest: options.spinNanoseconds, farthest: options.farthestSpinNanoseconds)
        mailbox = Mailbox(rank: rank, capacity: options.unexpectedBytes)
    }

    /// The watchdog, which is told what the first channel does.
    var watchdog: Watchdog? { identifier.channel == 0 ? context.watchdog : nil }

    // MARK: Operations

    /// The most transfers that are in hand before the first operation must end.
    private static let mostTransfers = 1 << 17

    /// Whether nothing is in hand.
    var isIdle: Bool { firstActive == active.count }

    /// Whether one more operation may join those in hand: not while it uses memory that one of them writes, or writes
    /// memory that one of them uses, for operations take effect in their order.
    func hasRoom(for request: OperationRequest, _ program: PlanProgram) -> Bool {
        guard !isIdle else { return true }
        guard done.count < Self.mostTransfers, scratchUsed + program.scratchByteCount <= scratch.byteCount
        else { return false }
        let (input, output) = Self.memory(request, program)
        return active[firstActive...].allSatisfy { other in
            let (otherInput, otherOutput) = Self.memory(other.request, other.program)
            return !output.overlaps(otherOutput) && !output.overlaps(otherInput)
                && !input.overlaps(otherOutput)
        }
    }

    /// The addresses that an operation reads only, and those that it writes.
    static func memory(
        _ request: OperationRequest, _ program: PlanProgram
    ) -> (input: Range<UInt>, output: Range<UInt>) {
        func addresses(_ start: UnsafeRawPointer?, _ bytes: Range<Int>) -> Range<UInt> {
            guard let start, !bytes.isEmpty else { return 0..<0 }
            return UInt(bitPattern: start + bytes.lowerBound)..<UInt(bitPattern: start + bytes.upperBound)
        }
        return (
            request.initialCopy.map { addresses($0.source, 0..<$0.byteCount) }
                ?? addresses(request.input, program.inputBytes),
            addresses(
                request.output.map { UnsafeRawPointer($0) },
                request.initialCopy == nil ? program.outputBytes : 0..<request.outputByteCount)
        )
    }

    /// Provides scratch memory for so many bytes, while nothing is in hand.
    func reserveScratch(_ byteCount: Int) {
        precondition(isIdle, "scratch memory cannot move while it is used")
        clear()
        scratch.reserve(byteCount)
    }

    /// Takes one more operation in hand, after all others. There must be room.
    ///
    /// Throws the error of a link that cannot be made.
    func append(_ request: OperationRequest, _ program: PlanProgram, sequence: UInt64, work: Work?) throws {
        let now = Deadline.now
        if isIdle {
            if repeats(request, program) { return rewind(request, sequence: sequence, work: work, at: now) }
            clear()
            scratch.reserve(program.scratchByteCount)
        }
        let (kernel, finalKernel) = kernels(for: request.signature)
        var operation = ActiveOperation(
            request: request, program: program, sequence: sequence, work: work, started: now,
            deadline: now.advanced(by: request.timeout), firstTransfer: done.count,
            scratchOffset: scratchUsed, kernel: kernel, finalKernel: finalKernel,
            remaining: program.transfers.count)
        if let compression = request.compression {
            operation.encoder = SegmentEncoder(
                compression, program, request, rank: rank, worldSize: worldSize, sequence: sequence,
                pool: segments)
        }
        if request.mayLend, let transport = context.transport { lease(&operation, from: transport) }
        copyFirst(request)
        // Whole cache lines, so that operations do not share one.
        scratchUsed += (program.scratchByteCount + 63) & ~63
        let index = active.count
        let isMessage = operation.isMessage
        active.append(operation)
        done.append(contentsOf: repeatElement(0, count: program.transfers.count))
        isComplete.append(contentsOf: repeatElement(false, count: program.transfers.count))
        if index == firstActive { isAnnounced = false }
        for part in program.lanes {
            let lane = lane(to: part.peer, isMessage: isMessage)
            if lane.link == nil, !lane.isListed { unlinked.append(lane) }
            if !lane.isListed {
                lanes.append(lane)
                lane.isListed = true
            }
            for transfer in part.sends { lane.sends.append(Lane.Item(operation: index, transfer: transfer)) }
            for transfer in part.receives {
                let item = Lane.Item(operation: index, transfer: transfer)
                lane.receives.append(item)
                if isMessage { try receiveFromMailbox(item, on: lane) }
            }
        }
        areCopiesDue = true
        for transfer in program.copies { copies.append(Lane.Item(operation: index, transfer: transfer)) }
    }

    /// Whether a request asks for just what the last operation did, on other memory perhaps.
    private func repeats(_ request: OperationRequest, _ program: PlanProgram) -> Bool {
        loaded == nil && active.count == 1 && active[0].program === program && request.message == nil
            && unlinked.isEmpty && active[0].encoder == nil && request.compression == nil && !request.mayLend
    }

    /// Takes the last operation in hand once more, as another one: what small operations are repeated for costs little.
    private func rewind(_ request: OperationRequest, sequence: UInt64, work: Work?, at now: Deadline) {
        active[0].restart(request, sequence: sequence, work: work, at: now)
        undo()
        copyFirst(request)
    }

    /// Has all transfers of the operations in hand, or that were, before it once more.
    func undo() {
        firstActive = 0
        isAnnounced = false
        for index in done.indices { (done[index], isComplete[index]) = (0, false) }
        for lane in lanes { lane.rewind() }
        areCopiesDue = true
        for index in active.indices {
            for transfer in active[index].program.copies {
                copies.append(Lane.Item(operation: index, transfer: transfer))
            }
        }
    }

    /// Does the copy before the first transfer.
    private func copyFirst(_ request: OperationRequest) {
        guard let copy = request.initialCopy, let output = request.output, copy.byteCount > 0 else { return }
        context.copies.add(copy.byteCount)
        (output + copy.offset).copyMemory(from: copy.source, byteCount: copy.byteCount)
    }

    /// What combines two contributions, and what completes the combination.
    func kernels(for signature: OperationSignature) -> (ReductionKernel?, final: ReductionKernel?) {
        let kernel = signature.op.map { ReductionKernel(signature.dataType, $0) }
        guard signature.op == .average else { return (kernel, kernel) }
        return (kernel, ReductionKernel(signature.dataType, .average, divisor: worldSize))
    }

    private func lane(to peer: Rank, isMessage: Bool) -> Lane {
        if let lane = isMessage ? messageLanes[peer] : dataLanes[peer] { return lane }
        let lane = Lane(peer: peer, carriesMessages: isMessage)
        if isMessage { messageLanes[peer] = lane } else { dataLanes[peer] = lane }
        // Now, rather than when a repeated operation happens to sleep for the first time.
        let most = dataLanes.count + messageLanes.count + 2
        if descriptors.capacity < most { descriptors.reserveCapacity(2 * most) }
        return lane
    }

    /// Makes the links that are missing, as far as the peers are ready for them.
    private func connect() throws {
        guard let transport = context.transport else {
            preconditionFailure("a plan for a single rank has a peer")
        }
        announceFirst()
        var index = 0
        while index < unlinked.count {
            let lane = unlinked[index]
            var identifier = identifier
            if lane.carriesMessages { identifier.channel = LinkIdentifier.messageChannel }
            watchdog?.waits(for: lane.peer, received: 0)
            if try lane.connect(transport, identifier, deadline: firstDeadline) {
                unlinked.remove(at: index)
            } else {
                index += 1
            }
        }
    }

    /// Tells the watchdog which operation is now the first, once that has to wait for something.
    func announceFirst() {
        guard !isAnnounced, !isIdle else { return }
        isAnnounced = true
        watchdog?.began(
            sequence: active[firstActive].sequence, signature: active[firstActive].request.signature,
            isMessage: active[firstActive].isMessage, at: .now, deadline: active[firstActive].deadline,
            timeout: active[firstActive].request.timeout)
    }

    func clear() {
        putAside()
        active.removeAll(keepingCapacity: true)
        done.removeAll(keepingCapacity: true)
        isComplete.removeAll(keepingCapacity: true)
        copies.removeAll(keepingCapacity: true)
        for lane in lanes { lane.clear() }
        lanes.removeAll(keepingCapacity: true)
        unlinked.removeAll(keepingCapacity: true)
        (firstActive, scratchUsed) = (0, 0)
    }

    /// Joins an operation that several channels work at, with a link to each of its peers.
    func beginSharing(_ operation: SharedOperation) {
        clear()
        (shared, isAnnounced) = (operation, true)
        let terms = operation.terms
        for (place, part) in terms.program.lanes.enumerated() {
            let lane = lane(to: part.peer, isMessage: false)
            lane.place = place
            lane.isExhausted = false
            lane.isReducing = terms.kernel != nil
            lane.isListed = true
            lanes.append(lane)
            if lane.link == nil { unlinked.append(lane) }
        }
        watchdog?.began(
            sequence: terms.sequence, signature: terms.request.signature, isMessage: false, at: .now,
            deadline: terms.deadline, timeout: terms.request.timeout)
    }

    /// Leaves it.
    func endSharing() {
        watchdog?.ended()
        shared = nil
        clear()
    }

    /// Takes all operations out of hand, after a failure; the links are of no use afterwards, and no device uses the
    /// operations' memory any more.
    func abandon() -> [ActiveOperation] {
        let deadline = Deadline.after(Self.relinquishTime)
        for lane in dataLanes.values { lane.link?.relinquish(by: deadline) }
        for lane in messageLanes.values { lane.link?.relinquish(by: deadline) }
        for index in active.indices { active[index].leases = [] }
        defer {
            active.removeAll()
            firstActive = 0
        }
        return Array(active[firstActive...])
    }

    /// How long devices are waited for that use the memory of operations that have failed.
    private static let relinquishTime: Duration = .seconds(5)

    /// Ends all links; what was sent still arrives. The runner is of no use afterwards.
    func closeLinks() {
        for lane in dataLanes.values { lane.link?.close() }
        for lane in messageLanes.values { lane.link?.close() }
        (dataLanes, messageLanes) = ([:], [:])
        if isIdle { clear() }
    }

    // MARK: Progress

    /// Moves what can be moved now; whether anything did.
    func pump() throws -> Bool {
        if !unlinked.isEmpty { try connect() }
        if let shared { return try pumpStripes(shared) }
        var hasMoved = areCopiesDue && !copies.isEmpty ? runCopies() : false
        for lane in lanes where lane.link != nil {
            if lane.hasLent, try settle(lane) { hasMoved = true }
            if lane.sendHead < lane.sends.count || lane.hasStaged, try pumpSend(lane) { hasMoved = true }
            if lane.receiveHead < lane.receives.count {
                if try lane.carriesMessages ? pumpMessages(lane) : pumpReceive(lane) { hasMoved = true }
            }
        }
        areCopiesDue = hasMoved
        return hasMoved
    }

    /// Ends the operations at the front of which nothing is left to do, each with its handle and what it came to; whether any
    /// has ended.
    @discardableResult
    func endFinished(_ ended: (Work?, OperationStatistics) -> Void) -> Bool {
        guard firstActive < active.count, active[firstActive].remaining == 0 else { return false }
        // Once an operation has ended its caller may never call again, so nothing of it may be left here.
        for lane in lanes where lane.hasStaged { return false }
        let now = Deadline.now
        while firstActive < active.count, active[firstActive].remaining == 0 {
            let index = firstActive
            tellOfEnd(index)
            firstActive += 1
            // Before anybody could take the memory for his own again.
            if !active[index].leases.isEmpty { active[index].leases = [] }
            ended(active[index].work, active[index].statistics(at: now))
            active[index].encoder?.end()
            // Nothing of the operation's memory is used any more.
            if !active[index].request.owners.isEmpty { active[index].request.owners = [] }
        }
        return true
    }

    /// Tells the watchdog that an operation has ended, which was the first.
    private func tellOfEnd(_ index: Int) {
        if isAnnounced {
            watchdog?.ended()
        } else if !active[index].isMessage {
            watchdog?.passed(sequence: active[index].sequence, active[index].request.signature)
        }
        isAnnounced = false
    }

    /// Does the local copies whose time has come.
    private func runCopies() -> Bool {
        var hasMoved = false
        var index = 0
        while index < copies.count {
            let item = copies[index]
            guard allowance(item) == active[item.operation].program.transfers[item.transfer].byteCount else {
                index += 1
                continue
            }
            copy(item)
            finish(item)
            copies.remove(at: index)
            hasMoved = true
        }
        return hasMoved
    }

    private func copy(_ item: Lane.Item) {
        let transfer = active[item.operation].program.transfers[item.transfer]
        guard case .copy(let source) = transfer.work, transfer.byteCount > 0 else { return }
        let destination = writable(transfer.place, item.operation)
        let origin = readable(source, item.operation)
        if UnsafeRawPointer(destination) != origin {
            destination.copyMemory(from: origin, byteCount: transfer.byteCount)
            context.copies.add(transfer.byteCount)
        }
    }

    /// How many of a transfer's bytes its gates let through so far; -1 if not even an empty transfer may begin.
    func allowance(_ item: Lane.Item) -> Int {
        let program = active[item.operation].program
        let first = active[item.operation].firstTransfer
        let transfer = program.transfers[item.transfer]
        var limit = transfer.byteCount
        for index in transfer.gates {
            let gate = program.gates[index]
            if isComplete[first + gate.transfer] { continue }
            guard let lead = gate.lead else { return -1 }
            limit = min(limit, max(0, done[first + gate.transfer] + lead))
        }
        return limit
    }

    /// Takes note that a transfer is complete.
    func finish(_ item: Lane.Item) {
        isComplete[active[item.operation].firstTransfer + item.transfer] = true
        active[item.operation].remaining -= 1
    }

    /// Takes note of payload that has been sent, which stands for as many bytes or, compressed, for others.
    func sent(_ byteCount: Int, elements elementBytes: Int? = nil, _ item: Lane.Item) {
        active[item.operation].wireBytes += byteCount
        active[item.operation].elementBytes += elementBytes ?? byteCount
    }

    /// The memory at a place that is only read.
    func readable(_ place: PlanProgram.Place, _ operation: Int) -> UnsafeRawPointer {
        switch place.buffer {
        case .input: active[operation].request.input! + place.offset
        case .output: UnsafeRawPointer(active[operation].request.output!) + place.offset
        case .scratch: UnsafeRawPointer(scratch.memory!) + active[operation].scratchOffset + place.offset
        }
    }

    /// The memory at a place that is written.
    func writable(_ place: PlanProgram.Place, _ operation: Int) -> UnsafeMutableRawPointer {
        switch place.buffer {
        case .input: preconditionFailure("a plan writes to its input")
        case .output: active[operation].request.output! + place.offset
        case .scratch: scratch.memory! + active[operation].scratchOffset + place.offset
        }
    }
}
