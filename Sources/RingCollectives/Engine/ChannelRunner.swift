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

/// Runs programs over one channel's links.
///
/// One thread at a time uses it. A transfer is done byte by byte as far as its gates allow, all transfers of all
/// links in turns; when no byte can move, the thread spins for a short while and then sleeps in the kernel.
final class ChannelRunner {
    let channel: Int
    let identifier: LinkIdentifier
    let options: EngineOptions
    let context: RunnerContext

    /// The links that have been made, by peer.
    var links: [Rank: any Link] = [:]
    let scratch = Scratch()

    // The state of the program that runs; the arrays are reused.
    var program: PlanProgram!
    var request: OperationRequest!
    var sequence: UInt64 = 0
    var lanes: [LaneState] = []
    /// How many bytes of each transfer are done.
    var done: [Int] = []
    var isComplete: [Bool] = []
    var remaining = 0
    var wireBytes = 0
    var kernel: ReductionKernel?
    var finalKernel: ReductionKernel?
    var descriptors: [pollfd] = []
    var patience: Patience

    /// Where a lane's two directions are.
    struct LaneState {
        var link: any Link
        var sendHead = 0
        var receiveHead = 0
        /// The end of the frame being sent, in the transfer's bytes; nil between frames.
        var sendFrameEnd: Int?
        var receiveFrameEnd: Int?
        /// Whether the last attempt stopped at the link rather than at a gate.
        var isSendBlocked = false
        var isReceiveBlocked = false
    }

    init(channel: Int, identifier: LinkIdentifier, options: EngineOptions, context: RunnerContext) {
        self.channel = channel
        self.identifier = identifier
        self.options = options
        self.context = context
        patience = Patience(longest: options.spinNanoseconds)
    }

    /// Runs one operation's program to its end; returns the payload bytes sent.
    ///
    /// Throws the error of the link that failed, a disagreement with a peer, the verdict of the watchdog, or
    /// `.timedOut`. The channel is of no use afterwards.
    func run(
        _ program: PlanProgram, _ request: OperationRequest, sequence: UInt64, divisor: Int,
        deadline: Deadline
    ) throws -> Int {
        self.program = program
        self.request = request
        self.sequence = sequence
        if let op = request.signature.op {
            kernel = ReductionKernel(request.signature.dataType, op)
            finalKernel =
                op == .average ? ReductionKernel(request.signature.dataType, op, divisor: divisor) : kernel
        }
        try makeLinks(deadline: deadline)
        prepare()
        try drive(deadline: deadline)
        return wireBytes
    }

    private func makeLinks(deadline: Deadline) throws {
        lanes.removeAll(keepingCapacity: true)
        for lane in program.lanes {
            if let link = links[lane.peer] {
                lanes.append(LaneState(link: link))
            } else {
                guard let transport = context.transport else {
                    preconditionFailure("a plan for a single rank has a peer")
                }
                if channel == 0 { context.watchdog?.waits(for: lane.peer, received: 0) }
                let link = try transport.link(to: lane.peer, identifier, deadline: deadline)
                links[lane.peer] = link
                lanes.append(LaneState(link: link))
            }
        }
    }

    private func prepare() {
        let count = program.transfers.count
        done.removeAll(keepingCapacity: true)
        done.append(contentsOf: repeatElement(0, count: count))
        isComplete.removeAll(keepingCapacity: true)
        isComplete.append(contentsOf: repeatElement(false, count: count))
        remaining = count
        wireBytes = 0
    }

    private func drive(deadline: Deadline) throws {
        var idleSince: Deadline?
        var rounds = 0
        while remaining > 0 {
            var hasMoved = runCopies()
            for index in lanes.indices {
                if try pumpSend(index) { hasMoved = true }
                if try pumpReceive(index) { hasMoved = true }
            }
            if hasMoved {
                if let since = idleSince {
                    patience.waited(Deadline.now.nanoseconds - since.nanoseconds)
                    idleSince = nil
                }
                rounds &+= 1
                // The watchdog counts in seconds: a clock that is read every few rounds costs nothing.
                if rounds & 15 == 0 {
                    context.watchdog?.progressed(at: .now)
                    try context.checkUrgent()
                }
                continue
            }
            let now = Deadline.now
            let since = idleSince ?? now
            idleSince = since
            if now.nanoseconds - since.nanoseconds < patience.spinNanoseconds { continue }
            patience.gaveUp()
            context.watchdog?.progressed(at: since)
            try sleep(since: since, deadline: deadline)
        }
    }

    /// Sleeps until a link or the watchdog has something new.
    private func sleep(since lastProgress: Deadline, deadline: Deadline) throws {
        descriptors.removeAll(keepingCapacity: true)
        // Once there is a verdict the event stays set, and what is left is watched in short sleeps.
        if !context.hasVerdict {
            descriptors.append(pollfd(fd: context.wakeUp.descriptor, events: Int16(POLLIN), revents: 0))
        }
        var waitingFor: Rank?
        for index in lanes.indices {
            var interest: LinkInterest = []
            if lanes[index].isSendBlocked { interest.insert(.sending) }
            if lanes[index].isReceiveBlocked { interest.insert(.receiving) }
            if interest.isEmpty { continue }
            if waitingFor == nil || lanes[index].isReceiveBlocked { waitingFor = lanes[index].link.peer }
            guard let descriptor = lanes[index].link.prepareToWait(for: interest) else {
                return try context.check(
                    stalledSince: lastProgress, deadline: deadline, waitingFor: waitingFor)
            }
            descriptors.append(descriptor)
        }
        try context.check(stalledSince: lastProgress, deadline: deadline, waitingFor: waitingFor)
        if channel == 0 { context.watchdog?.waits(for: waitingFor, received: receivedSoFar) }
        let milliseconds = deadline.remainingMilliseconds(atMost: context.hasVerdict ? 50 : 60_000)
        try SystemCall.poll(&descriptors, milliseconds: max(1, milliseconds))
    }

    /// Does the local copies whose time has come.
    private func runCopies() -> Bool {
        guard !program.copies.isEmpty else { return false }
        var hasMoved = false
        for index in program.copies where !isComplete[index] && allowance(index) >= 0 {
            let transfer = program.transfers[index]
            guard case .copy(let source) = transfer.work else { continue }
            if transfer.byteCount > 0 {
                let destination = writable(transfer.place)
                let origin = readable(source)
                if UnsafeRawPointer(destination) != origin {
                    destination.copyMemory(from: origin, byteCount: transfer.byteCount)
                }
            }
            finish(index)
            hasMoved = true
        }
        return hasMoved
    }

    /// How many of a transfer's bytes its gates let through so far; -1 if not even an empty transfer may begin.
    func allowance(_ index: Int) -> Int {
        let transfer = program.transfers[index]
        var limit = transfer.byteCount
        for gate in transfer.gates {
            let other = program.gates[gate]
            if isComplete[other.transfer] { continue }
            guard other.isStreaming else { return -1 }
            limit = min(limit, done[other.transfer])
        }
        return limit
    }

    func finish(_ index: Int) {
        isComplete[index] = true
        remaining -= 1
    }

    /// The memory at a place that is only read.
    func readable(_ place: PlanProgram.Place) -> UnsafeRawPointer {
        switch place.buffer {
        case .input: request.input! + place.offset
        case .output: UnsafeRawPointer(request.output!) + place.offset
        case .scratch: UnsafeRawPointer(scratch.bytes(program.scratchByteCount)!) + place.offset
        }
    }

    /// The memory at a place that is written.
    func writable(_ place: PlanProgram.Place) -> UnsafeMutableRawPointer {
        switch place.buffer {
        case .input: preconditionFailure("a plan writes to its input")
        case .output: request.output! + place.offset
        case .scratch: scratch.bytes(program.scratchByteCount)! + place.offset
        }
    }
}
