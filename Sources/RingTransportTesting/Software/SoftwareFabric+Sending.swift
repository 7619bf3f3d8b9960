import RingSystem
import RingTransportRDMA

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

// What the devices do with a request to send.
extension SoftwareFabric.State {
    /// Carries out a request, at once.
    mutating func post(_ pair: UInt, _ request: SendRequest) throws(SystemError) {
        guard let own = pairs[pair], own.phase == .readyToSend || own.phase == .failed else {
            throw SystemError("postSend", EINVAL)
        }
        guard own.posted - own.retired < own.sizes.sends else { throw SystemError("postSend", ENOMEM) }
        if request.isInline, request.bytes.count > own.sizes.inlineBytes {
            throw SystemError("postSend", EINVAL)
        }
        pairs[pair]!.posted += 1
        if request.isSignaled || own.phase == .failed {
            pairs[pair]!.signaled.append((request.number, pairs[pair]!.posted))
        }
        if own.phase != .failed, held.contains(request.kind) || !own.underWay.isEmpty {
            pairs[pair]!.underWay.append(request)
        } else {
            run(pair, request)
        }
    }

    private mutating func run(_ pair: UInt, _ request: SendRequest) {
        guard let own = pairs[pair] else { return }
        let status = own.phase == .failed ? CompletionStatus.flushed : carryOut(own, request)
        guard request.isSignaled || status != CompletionStatus.success else { return }
        if !request.isSignaled, own.phase != .failed {
            pairs[pair]!.signaled.append((request.number, own.posted))
        }
        complete(own.completions, Completion(number: request.number, status: status))
        if status != CompletionStatus.success { fail(pair) }
    }

    /// Carries out what is held, in order.
    mutating func letGo() {
        held = []
        for pair in pairs.keys {
            while let request = pairs[pair]?.underWay.first {
                pairs[pair]!.underWay.removeFirst()
                run(pair, request)
            }
        }
    }

    /// Whether a request that is held uses memory of one rank.
    func isUnderWay(in range: Range<UInt>, of owner: Int) -> Bool {
        pairs.values.contains { pair in
            pair.owner == owner
                && pair.underWay.contains { request in
                    range.contains(UInt(bitPattern: request.bytes.baseAddress))
                }
        }
    }

    /// A send has completed that has this number.
    mutating func retire(_ number: UInt64, queue: UInt) {
        for (handle, pair) in pairs where pair.completions == queue {
            guard let index = pair.signaled.firstIndex(where: { $0.number == number }) else { continue }
            pairs[handle]!.retired = pair.signaled[index].post
            pairs[handle]!.signaled.removeFirst(index + 1)
        }
    }

    private mutating func carryOut(_ own: SoftwareFabric.Pair, _ request: SendRequest) -> Int32 {
        let start = UInt(bitPattern: request.bytes.baseAddress)
        let source = start..<(start + UInt(request.bytes.count))
        if !request.isInline, !source.isEmpty {
            guard let memory = memories[UInt(request.localKey)], memory.domain == own.domain,
                memory.range.lowerBound <= source.lowerBound, source.upperBound <= memory.range.upperBound
            else { return CompletionStatus.localProtection }
        }
        guard let peer = own.peer, let other = pairs[peer],
            other.phase == .readyToReceive || other.phase == .readyToSend,
            !unreachable.contains(own.owner), !unreachable.contains(other.owner)
        else { return CompletionStatus.retriesExceeded }
        var destination = UInt(request.remoteAddress)
        if request.kind != .send, !source.isEmpty {
            let end = destination + UInt(source.count)
            guard let memory = memories[UInt(request.remoteKey)], memory.domain == other.domain,
                memory.access == (request.kind == .read ? .remoteRead : .remoteWrite),
                memory.range.lowerBound <= destination, end <= memory.range.upperBound
            else { return CompletionStatus.remoteAccess }
        }
        if request.kind == .read {
            guard let bytes = request.bytes.baseAddress else { return CompletionStatus.success }
            UnsafeMutableRawPointer(mutating: bytes).copyMemory(
                from: UnsafeRawPointer(bitPattern: destination)!, byteCount: request.bytes.count)
            return CompletionStatus.success
        }
        var completion = Completion(length: UInt32(source.count), isReceive: true)
        if request.kind != .write {
            guard !other.receives.isEmpty else {
                violations.append("a message came for which no receive was posted")
                return CompletionStatus.receiverNotReady
            }
            let room = pairs[peer]!.receives.removeFirst()
            if request.kind == .send {
                guard let room, room.count >= source.count else { return CompletionStatus.remoteAccess }
                destination = room.lowerBound
            } else {
                completion.immediate = request.immediate
                completion.hasImmediate = true
            }
        }
        if let bytes = request.bytes.baseAddress, !source.isEmpty {
            UnsafeMutableRawPointer(bitPattern: destination)!.copyMemory(
                from: bytes, byteCount: source.count)
        }
        if request.kind != .write {
            complete(other.completions, completion, isSolicited: request.isSolicited)
        }
        return CompletionStatus.success
    }
}
