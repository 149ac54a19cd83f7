using System.Net;
using OllamaMax.Edge.Pulls;

namespace OllamaMax.Edge.Tests.Pulls;

public sealed class PublicAddressesTests
{
    [Theory]
    [InlineData("8.8.8.8", true)]
    [InlineData("172.32.0.1", true)]
    [InlineData("2606:4700::1111", true)]
    [InlineData("64:ff9b::8.8.8.8", true)]
    [InlineData("127.0.0.1", false)]
    [InlineData("127.1.2.3", false)]
    [InlineData("0.0.0.0", false)]
    [InlineData("10.1.2.3", false)]
    [InlineData("100.100.100.200", false)]
    [InlineData("169.254.169.254", false)]
    [InlineData("168.63.129.16", false)]
    [InlineData("172.16.0.1", false)]
    [InlineData("192.168.1.1", false)]
    [InlineData("224.0.0.1", false)]
    [InlineData("255.255.255.255", false)]
    [InlineData("::1", false)]
    [InlineData("::", false)]
    [InlineData("::ffff:127.0.0.1", false)]
    [InlineData("::ffff:8.8.8.8", true)]
    [InlineData("64:ff9b::10.0.0.1", false)]
    [InlineData("2002:7f00:1::", false)]
    [InlineData("fd00:ec2::254", false)]
    [InlineData("fe80::1", false)]
    [InlineData("fec0::1", false)]
    public void Contain_Address_OnlyTheInternets(string address, bool isPublic) => PublicAddresses.Contain(IPAddress.Parse(address)).ShouldBe(isPublic);

    [Fact]
    public void Allows_PrivateAddress_OnlyOfNamedHostsOrByOption()
    {
        PullOptions options = new();
        options.Hosts.Add("hf.co=http://mirror:8080/hf");

        options.Allows(new("http://mirror:8080/x"), IPAddress.Loopback).ShouldBeTrue();
        options.Allows(new("https://mirror/x"), IPAddress.Loopback).ShouldBeFalse();
        options.Allows(new("https://mirror/x"), IPAddress.Parse("8.8.8.8")).ShouldBeTrue();
        options.AllowPrivateAddresses = true;
        options.Allows(new("https://mirror/x"), IPAddress.Loopback).ShouldBeTrue();
    }
}
