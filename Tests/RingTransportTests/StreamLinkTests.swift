import RingCore
import RingTransport
import Testing

@Suite struct StreamLinkTests {
    private static func header(_ length: Int) -> FrameHeader {
        FrameHeader(
            kind: .data, communicator: 1, epoch: 2, sequence: 3,
            signature: OperationSignature(
                collective: .allGather, dataType: .int64, op: nil, elementCount: 5, root: nil,
                algorithm: AlgorithmCode(name: "ring")),
            length: UInt32(length))
    }

    private static func wire(_ length: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: FrameHeader.byteCount)
        bytes.withUnsafeMutableBytes { header(length).encode(to: $0.baseAddress!) }
        return bytes
    }

    private static func link(_ stream: ScriptedStream, bufferSize: Int = 256) -> StreamLink {
        StreamLink(peer: 4, address: "there", stream: stream, bufferSize: bufferSize)
    }

    private static func payload(_ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ 1) }
    }

    // MARK: Sending

    /// The first write stops after each possible number of bytes, in the header and behind it.
    @Test func goesOnWhereAWriteStopped() throws {
        let payload = Self.payload(20)
        for first in 0...84 {
            let stream = ScriptedStream()
            stream.acceptances = [first]
            let link = Self.link(stream)
            link.beginFrame(Self.header(20))
            var sent = 0
            var calls = 0
            while link.hasUnsentHeader || sent < 20 {
                calls += 1
                let accepted = try payload.withUnsafeBytes {
                    try link.send(UnsafeRawBufferPointer(rebasing: $0[sent...]))
                }
                if calls == 1 {
                    #expect(accepted == max(0, first - 64))
                    #expect(link.hasUnsentHeader == (first < 64))
                }
                sent += accepted
            }
            #expect(calls == (first == 84 ? 1 : 2))
            #expect(stream.written == Self.wire(20) + payload)
        }
    }

    @Test func sendsOneByteAtATime() throws {
        let stream = ScriptedStream()
        stream.acceptances = (0..<200).map { $0 % 2 }
        let link = Self.link(stream)
        let payload = Self.payload(10)
        link.beginFrame(Self.header(10))
        var sent = 0
        for _ in 0..<200 where link.hasUnsentHeader || sent < 10 {
            sent += try payload.withUnsafeBytes {
                try link.send(UnsafeRawBufferPointer(rebasing: $0[sent...]))
            }
        }
        #expect(stream.written == Self.wire(10) + payload)
    }

    @Test func sendsAnEmptyFrame() throws {
        let stream = ScriptedStream()
        let link = Self.link(stream)
        link.beginFrame(Self.header(0))
        #expect(try link.send(UnsafeRawBufferPointer(start: nil, count: 0)) == 0)
        #expect(!link.hasUnsentHeader)
        #expect(stream.written == Self.wire(0))
    }

    @Test func namesThePeerWhenSendingFails() throws {
        for first in [0, 1, 63, 64, 65, 83] {
            let stream = ScriptedStream()
            stream.acceptances = [first] + [Int](repeating: 0, count: 10)
            stream.writeFailure = .broken("Broken pipe")
            let link = Self.link(stream)
            let payload = Self.payload(20)
            link.beginFrame(Self.header(20))
            if first > 0 { _ = try payload.withUnsafeBytes { try link.send($0) } }
            for _ in 0..<3 {
                let error = #expect(throws: CollectiveError.self) {
                    _ = try payload.withUnsafeBytes { try link.send($0) }
                }
                #expect(error?.code == .peerLost)
                #expect(error?.peer == 4)
                #expect(error?.message == "sending to rank 4 (there) failed: Broken pipe")
            }
        }
    }

    // MARK: Receiving

    /// Two frames arrive in two parts, split at each possible place, and are taken in each of the ways.
    @Test(arguments: [0, 8, 100, 10_000])
    func receivesHoweverTheStreamIsCut(_ readAhead: Int) throws {
        let payload = Self.payload(24)
        let bytes = Self.wire(24) + payload + Self.wire(0) + Self.wire(24) + payload
        for cut in 0...bytes.count {
            for isLending in [false, true] {
                let stream = ScriptedStream()
                stream.readings = [.bytes(Array(bytes[..<cut])), .nothing, .bytes(Array(bytes[cut...]))]
                let link = Self.link(stream, bufferSize: 100)
                for length in [24, 0, 24] {
                    var header: FrameHeader?
                    for _ in 0..<5 where header == nil {
                        header = try link.receiveHeader(readAhead: readAhead)
                    }
                    #expect(header == Self.header(length), "cut at \(cut)")
                    let received = try Self.receive(length, over: link, isLending: isLending)
                    #expect(received == payload.prefix(length), "cut at \(cut)")
                }
            }
        }
    }

    private static func receive(_ count: Int, over link: StreamLink, isLending: Bool) throws -> ArraySlice<
        UInt8
    > {
        var received: [UInt8] = []
        var place = [UInt8](repeating: 0, count: 16)
        for _ in 0..<40 where received.count < count {
            if isLending {
                _ = try link.receive(atMost: 24) { bytes in
                    let used = bytes.count / 8 * 8
                    received += bytes[..<used]
                    return used
                }
            } else {
                let taken = try place.withUnsafeMutableBytes { try link.receive(into: $0) }
                received += place[..<taken]
            }
        }
        return received[...]
    }

    @Test func receivesOneByteAtATime() throws {
        let payload = Self.payload(24)
        let stream = ScriptedStream()
        stream.readings = (Self.wire(24) + payload).flatMap { [.nothing, .bytes([$0])] }
        let link = Self.link(stream)
        var header: FrameHeader?
        for _ in 0..<200 where header == nil { header = try link.receiveHeader(readAhead: 0) }
        #expect(header == Self.header(24))
        var received: [UInt8] = []
        for _ in 0..<100 where received.count < 24 {
            _ = try link.receive(atMost: 24) { bytes in
                let used = bytes.count / 8 * 8
                received += bytes[..<used]
                return used
            }
        }
        #expect(received == payload)
    }

    /// Whoever is told that nothing could be done sleeps on the stream, so nothing usable may have left it.
    @Test func holdsNothingUsableWhenItSaysNothingCame() throws {
        for cut in 1..<8 {
            let stream = ScriptedStream()
            let payload = Self.payload(8)
            stream.readings = [
                .bytes(Self.wire(8)), .bytes(Array(payload[..<cut])), .bytes(Array(payload[cut...])),
            ]
            let link = Self.link(stream)
            _ = try link.receiveHeader(readAhead: 0)
            var lent: [[UInt8]] = []
            func step() throws -> Int {
                try link.receive(atMost: 8) { bytes in
                    lent.append(Array(bytes))
                    return bytes.count / 8 * 8
                }
            }
            #expect(try step() == 0)
            #expect(stream.unread == 8 - cut)
            #expect(try step() == 8)
            #expect(lent == [Array(payload[..<cut]), payload])
        }
    }

    @Test func readsOnlyWhatTheFrameHas() throws {
        let stream = ScriptedStream()
        stream.readings = [.bytes(Self.wire(8) + Self.payload(8) + Self.wire(0))]
        let link = Self.link(stream)
        _ = try link.receiveHeader(readAhead: 0)
        #expect(stream.unread == 72)
        var place = [UInt8](repeating: 0, count: 100)
        #expect(try place.withUnsafeMutableBytes { try link.receive(into: $0) } == 8)
        #expect(Array(place[..<8]) == Self.payload(8))
        #expect(try place.withUnsafeMutableBytes { try link.receive(into: $0) } == 0)
        #expect(try link.receive(atMost: 10) { $0.count } == 0)
        #expect(stream.unread == 64)
        #expect(try link.receiveHeader(readAhead: 0) == Self.header(0))
    }

    /// The stream ends after each possible number of bytes of two frames.
    @Test(arguments: [StreamFailure.ended, .broken("Connection reset by peer")])
    func deliversEverythingBeforeAFailure(_ failure: StreamFailure) throws {
        let payload = Self.payload(24)
        let bytes = Self.wire(24) + payload
        for isLending in [false, true] {
            for count in 0...bytes.count {
                let stream = ScriptedStream()
                stream.readings = [.bytes(Array(bytes[..<count])), .failure(failure)]
                let link = Self.link(stream)
                var received: ArraySlice<UInt8> = []
                let error = #expect(throws: CollectiveError.self) {
                    while try link.receiveHeader(readAhead: 50) == nil {}
                    received = try Self.receive(min(24, count - 64), over: link, isLending: false)
                    while true {
                        if isLending {
                            _ = try link.receive(atMost: 24) { $0.count }
                        } else {
                            var place = [UInt8](repeating: 0, count: 4)
                            _ = try place.withUnsafeMutableBytes { try link.receive(into: $0) }
                        }
                        if count == bytes.count { _ = try link.receiveHeader(readAhead: 0) }
                    }
                }
                #expect(received == payload.prefix(max(0, count - 64)))
                #expect(error?.code == .peerLost)
                #expect(error?.peer == 4)
                let expected =
                    failure == .ended
                    ? "rank 4 (there) closed its connection"
                    : "receiving from rank 4 (there) failed: Connection reset by peer"
                #expect(error?.message == expected)
            }
        }
    }

    @Test func refusesWhatIsNotAFrame() throws {
        let stream = ScriptedStream()
        stream.readings = [.bytes(Array("GET / HTTP/1.1\r\n".utf8) + [UInt8](repeating: 32, count: 100))]
        let link = Self.link(stream)
        for _ in 0..<2 {
            let error = #expect(throws: CollectiveError.self) { _ = try link.receiveHeader(readAhead: 0) }
            #expect(error?.code == .protocolViolation)
            #expect(error?.peer == 4)
            #expect(error?.message.hasPrefix("rank 4 (there) sent something that is not a frame") == true)
        }
    }

    @Test func closesItsStream() {
        let stream = ScriptedStream()
        do {
            let link = Self.link(stream)
            link.close()
            #expect(stream.closings == 1)
        }
        #expect(stream.closings == 2)
    }
}
