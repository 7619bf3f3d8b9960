import RingCore
import RingSystem
import Testing

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

@Suite struct SocketAddressTests {
    @Test(arguments: [
        ("127.0.0.1", "127.0.0.1:80"), ("255.255.255.255", "255.255.255.255:80"), ("::1", "[::1]:80"),
        ("FD00:0:0:0:0:0:0:1", "[fd00::1]:80"), ("::", "[::]:80"),
    ])
    func readsAsPeopleWriteIt(_ host: String, _ text: String) throws {
        let bytes = try #require(AddressRange.bytes(ofNumeric: host))
        #expect("\(SocketAddress(host: bytes, port: 80))" == text)
    }

    @Test(arguments: [
        SocketAddress(host: [10, 20, 30, 40], port: 0xABCD),
        SocketAddress(host: (1...16).map { UInt8($0) }, port: 0x1234, scope: 5),
    ])
    func survivesTheSystemsForm(_ address: SocketAddress) {
        let copy = address.withSystemAddress { pointer, length in
            #expect(Int(length) == (address.isIPv6 ? 28 : 16))
            return SocketAddress(UnsafeRawPointer(pointer))
        }
        #expect(copy == address)
        #expect(address.withPort(1).port == 1)
        #expect(address.withPort(1).host == address.host)
    }

    @Test func otherFamiliesAreNoAddress() {
        var storage = sockaddr_storage()
        storage.ss_family = sa_family_t(AF_UNIX)
        #expect(withUnsafeBytes(of: &storage) { SocketAddress($0.baseAddress!) } == nil)
    }

    @Test(arguments: [("127.0.0.1", "127.0.0.1:7"), ("::1", "[::1]:7")])
    func resolvesNumbers(_ host: String, _ text: String) throws {
        #expect(try SocketAddress.resolve(host: host, port: 7).map { "\($0)" } == [text])
    }

    @Test(arguments: [("127.0.0.1", "127.0.0.1"), ("::1", "::1"), ("fe80::1%1", "fe80::1%1")])
    func readsNumbersOnly(_ host: String, _ text: String) throws {
        let address = try #require(SocketAddress(numericHost: host, port: 9))
        #expect(address.scopedHostText == text)
        #expect(address.port == 9)
        #expect(SocketAddress(numericHost: "localhost", port: 9) == nil)
    }

    @Test func resolvesByTheDeadline() throws {
        let ample = Deadline.after(.seconds(20))
        #expect(
            try SocketAddress.resolve(host: "::1", port: 7, by: .now) == [
                .loopback(family: AF_INET6, port: 7)
            ])
        #expect(try !SocketAddress.resolve(host: "localhost", port: 7, by: ample).isEmpty)
        #expect(throws: SocketAddress.ResolutionFailure.self) {
            try SocketAddress.resolve(host: "not a name", port: 7, by: ample)
        }
    }

    @Test(arguments: [AF_INET, AF_INET6])
    func aWildcardTakesLoopbackConnections(_ family: Int32) throws {
        let listener = try Socket.listening(on: .wildcard(family: family, port: 0))
        let bound = try listener.localAddress()
        #expect(bound.isWildcard && bound.family == family)
        // IPv6's wildcard takes IPv4 too.
        let dialled = try Socket.connecting(to: .loopback(port: bound.port))
        #expect(try dialled.peerAddress() == .loopback(port: bound.port))
    }

    @Test func resolvesThisHost() throws {
        let addresses = try SocketAddress.resolve(host: "localhost", port: 7)
        #expect(addresses.contains { ["127.0.0.1:7", "[::1]:7"].contains("\($0)") })
    }

    @Test(arguments: ["", "not a name", "1.2.3.4.5", "name.invalid."])
    func saysWhyANameHasNoAddress(_ host: String) {
        let failure = #expect(throws: SocketAddress.ResolutionFailure.self) {
            try SocketAddress.resolve(host: host, port: 7)
        }
        #expect(failure?.reason.isEmpty == false)
    }
}

@Suite struct AddressRangeTests {
    @Test func containsExactlyItsAddresses() throws {
        // Every prefix length, and every address that differs in one bit.
        for text in ["10.32.0.129", "fd00:1:2:3:4:5:6:7"] {
            let host = try #require(AddressRange.bytes(ofNumeric: text))
            for length in 0...(host.count * 8) {
                let range = try #require(AddressRange("\(text)/\(length)"))
                #expect(range.contains(SocketAddress(host: host, port: 9)))
                for bit in 0..<(host.count * 8) {
                    var other = host
                    other[bit / 8] ^= 0x80 >> UInt8(bit % 8)
                    #expect(range.contains(SocketAddress(host: other, port: 0)) == (bit >= length))
                }
            }
        }
    }

    @Test func containsExhaustively() throws {
        for length in 24...32 {
            for network in stride(from: 0, to: 256, by: 37) {
                let range = try #require(AddressRange("10.0.0.\(network)/\(length)"))
                let mask = UInt8(truncatingIfNeeded: 0xFF00 >> (length - 24))
                for last in UInt8.min...UInt8.max {
                    let isInside = last & mask == UInt8(network) & mask
                    #expect(range.contains(SocketAddress(host: [10, 0, 0, last], port: 0)) == isInside)
                }
            }
        }
    }

    @Test func familiesDoNotMix() throws {
        let all4 = try #require(AddressRange("0.0.0.0/0"))
        let all6 = try #require(AddressRange("::/0"))
        let four = SocketAddress(host: [1, 2, 3, 4], port: 0)
        let six = SocketAddress(host: [UInt8](repeating: 1, count: 16), port: 0)
        #expect(
            [all4.contains(four), all4.contains(six), all6.contains(four), all6.contains(six)] == [
                true, false, false, true,
            ])
    }

    @Test(arguments: [
        "", "/", "10.0.0.0", "10.0.0.0/", "/8", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8/8", "10.0.0/8",
        "::/129",
        "::1%lo/64", "eth0/8", "10.0.0.0/ 8", "10.0.0.0/x", "10.0.0.0/+8",
    ])
    func refusesOtherTexts(_ text: String) {
        #expect(AddressRange(text) == nil)
    }
}

@Suite struct SocketTests {
    private static let loopback = SocketAddress(host: [127, 0, 0, 1], port: 0)

    @Test func thisHostHasLoopback() throws {
        let interfaces = try NetworkInterface.all()
        #expect(
            interfaces.contains {
                $0.isLoopback && $0.address.hostText == "127.0.0.1" && $0.address.port == 0
            })
    }

    @Test func carriesBytesBothWays() throws {
        let listener = try Socket.listening(on: Self.loopback)
        #expect(try listener.accept() == nil)
        let source = SocketAddress(host: [127, 0, 0, 3], port: 0)
        let client = try Socket.connecting(to: try listener.localAddress(), from: source)
        let limit = Deadline.after(.seconds(20))
        var accepted = try listener.accept()
        while accepted == nil, !limit.hasPassed { accepted = try listener.accept() }
        guard let accepted = accepted.take() else {
            Issue.record("the connection did not arrive")
            return
        }
        #expect(accepted.address?.hostText == "127.0.0.3")
        let server = accepted.take()
        #expect(client.connectionError() == nil)

        #expect(try server.receive(atMost: 10) == nil)
        let sent = try [UInt8](1...3).withUnsafeBytes { first in
            try [UInt8](4...5).withUnsafeBytes { try client.send(first, $0) }
        }
        #expect(sent == .done(5))
        var received: [UInt8]?
        while received == nil, !limit.hasPassed { received = try server.receive(atMost: 10) }
        #expect(received == [1, 2, 3, 4, 5])
        #expect(try server.send([6, 7]) == .done(2))
        server.shutDown()
        received = nil
        while received == nil, !limit.hasPassed { received = try client.receive(atMost: 1) }
        #expect(received == [6])
        #expect(try client.receive(atMost: 10) == [7])
        received = nil
        while received == nil, !limit.hasPassed { received = try client.receive(atMost: 10) }
        #expect(received == [])
        #expect(throws: SystemError.self) { _ = try server.send([8]) }
    }

    @Test func oneAddressHasOneListener() throws {
        let listener = try Socket.listening(on: Self.loopback)
        let address = try listener.localAddress()
        #expect(address.port > 0)
        let error = #expect(throws: SystemError.self) { _ = try Socket.listening(on: address) }
        #expect(error?.number == EADDRINUSE)
    }

    @Test func aRefusedConnectionSaysSo() throws {
        let address: SocketAddress
        do {
            let listener = try Socket.listening(on: Self.loopback)
            address = try listener.localAddress()
        }
        let client = try Socket.connecting(to: address)
        var descriptors = [pollfd(fd: client.number, events: Int16(POLLOUT), revents: 0)]
        try SystemCall.poll(&descriptors, milliseconds: 20_000)
        #expect(client.connectionError()?.number == ECONNREFUSED)
    }

    @Test func knowsHowFarTheOtherEndIs() throws {
        let listener = try Socket.listening(on: Self.loopback)
        let client = try Socket.connecting(to: try listener.localAddress())
        var descriptors = [pollfd(fd: client.number, events: Int16(POLLOUT), revents: 0)]
        try SystemCall.poll(&descriptors, milliseconds: 20_000)
        let roundTrip = try client.roundTrip()
        #expect(roundTrip > .zero && roundTrip < .seconds(1))
    }

    @Test func knowsItsCongestionControl() throws {
        let listener = try Socket.listening(on: Self.loopback)
        try listener.setCongestionControl("reno")
        #expect(try listener.congestionControl() == "reno")
        #expect(throws: SystemError.self) { try listener.setCongestionControl("warp") }
    }
}
