import CRingSystem

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

extension Socket {
    /// Sends `first`, then `second`, as one message to the system; how many bytes it took, or would-block.
    package borrowing func send(
        _ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer
    ) throws(SystemError) -> IOResult {
        let flags = Int32(Int(MSG_NOSIGNAL) | Int(MSG_DONTWAIT))
        let number = self.number
        if first.isEmpty {
            return try SystemCall.nonBlocking("send") {
                Int(ring_socket_send(number, second.baseAddress, second.count, flags))
            }
        }
        if second.isEmpty {
            return try SystemCall.nonBlocking("send") {
                Int(ring_socket_send(number, first.baseAddress, first.count, flags))
            }
        }
        return try withUnsafeTemporaryAllocation(of: iovec.self, capacity: 2) { vectors throws(SystemError) in
            vectors[0] = iovec(
                iov_base: UnsafeMutableRawPointer(mutating: first.baseAddress), iov_len: first.count)
            vectors[1] = iovec(
                iov_base: UnsafeMutableRawPointer(mutating: second.baseAddress), iov_len: second.count)
            var message = msghdr()
            message.msg_iov = vectors.baseAddress
            message.msg_iovlen = 2
            return try SystemCall.nonBlocking("sendmsg") { sendmsg(number, &message, flags) }
        }
    }

    /// Receives into `buffer`, which must not be empty; `.done(0)` means that the peer has sent all it will.
    package borrowing func receive(into buffer: UnsafeMutableRawBufferPointer) throws(SystemError) -> IOResult
    {
        let number = self.number
        return try SystemCall.nonBlocking("recv") {
            Int(ring_socket_receive(number, buffer.baseAddress, buffer.count, Int32(Int(MSG_DONTWAIT))))
        }
    }

    /// Sends the bytes, as many as the system takes now.
    package borrowing func send(_ bytes: ArraySlice<UInt8>) throws(SystemError) -> IOResult {
        let number = self.number
        return try SystemCall.nonBlocking("send") {
            bytes.withUnsafeBytes {
                Int(
                    ring_socket_send(
                        number, $0.baseAddress, $0.count, Int32(Int(MSG_NOSIGNAL) | Int(MSG_DONTWAIT))))
            }
        }
    }

    /// Receives at most `count` bytes, at least one; nil if there are none now, empty if the peer has sent all it will.
    package borrowing func receive(atMost count: Int) throws(SystemError) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: count)
        let number = self.number
        let result = try SystemCall.nonBlocking("recv") {
            bytes.withUnsafeMutableBytes {
                Int(ring_socket_receive(number, $0.baseAddress, $0.count, Int32(Int(MSG_DONTWAIT))))
            }
        }
        guard case .done(let received) = result else { return nil }
        return Array(bytes[..<received])
    }
}
