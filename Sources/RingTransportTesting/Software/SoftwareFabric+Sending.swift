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
        let status = own.phase == .failed ? CompletionStatus.flushed : carryOut(own, request)
        guard request.isSignaled || status != CompletionStatus.success else { return }
        pairs[pair]!.signaled.append((request.number, pairs[pair]!.posted))
        complete(own.completions, Completion(number: request.number, status: status))
        if status != CompletionStatus.success { fail(pair) }
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
                memory.isWritable, memory.range.lowerBound <= destination, end <= memory.range.upperBound
            else { return CompletionStatus.remoteAccess }
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
