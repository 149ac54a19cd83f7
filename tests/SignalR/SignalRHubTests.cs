using Microsoft.Extensions.Time.Testing;
using Microsoft.IdentityModel.JsonWebTokens;
using OllamaMax.Streaming;

namespace OllamaMax.SignalR;

public sealed class SignalRHubTests : IDisposable
{
    private const string Text = "Endpoint=https://x.service.signalr.net;AccessKey=ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789;Version=1.0;";
    private static readonly DateTimeOffset s_start = new(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly FakeTimeProvider _time = new(s_start);
    private readonly SignalRSender _sender;
    private readonly SignalRHub _hub;

    public SignalRHubTests()
    {
        _sender = new(_time);
        _hub = new(SignalRConnectionString.Parse(Text), "jobs", _sender, _time);
    }

    public void Dispose() => _sender.Dispose();

    [Fact]
    public void Negotiate_User_UrlIsTheAudienceAndNameidTheUser()
    {
        Negotiation negotiation = _hub.Negotiate("edge-1", TimeSpan.FromMinutes(10));

        negotiation.Url.ShouldBe("https://x.service.signalr.net/client/?hub=jobs");
        JsonWebToken token = new(negotiation.AccessToken);
        token.Alg.ShouldBe("HS256");
        token.Audiences.ShouldBe([negotiation.Url]);
        token.GetPayloadValue<string>("nameid").ShouldBe("edge-1");
        token.GetPayloadValue<long>("exp").ShouldBe(s_start.AddMinutes(10).ToUnixTimeSeconds());
        negotiation.ToString().ShouldNotContain(negotiation.AccessToken);
    }

    [Fact]
    public void ReplyTo_User_TokenIsForThatSendUrlOnly()
    {
        ReplyCapability reply = _hub.ReplyTo("edge 1/2", TimeSpan.FromMinutes(10));

        reply.Url.ShouldBe("https://x.service.signalr.net/api/hubs/jobs/users/edge%201%2F2/:send");
        JsonWebToken token = new(reply.Token);
        token.Audiences.ShouldBe([reply.Url]);
        token.TryGetPayloadValue("nameid", out string _).ShouldBeFalse();
        reply.ToString().ShouldNotContain(reply.Token);
    }

    [Fact]
    public void ReplyTo_CloseToExpiry_IssuedAnew()
    {
        TimeSpan wanted = TimeSpan.FromMinutes(10);
        ReplyCapability first = _hub.ReplyTo("edge-1", wanted);
        first.ExpiresAt.ShouldBe(s_start + 2 * wanted);

        _time.Advance(wanted);
        _hub.ReplyTo("edge-1", wanted).ShouldBe(first);
        _time.Advance(TimeSpan.FromSeconds(1));

        ReplyCapability second = _hub.ReplyTo("edge-1", wanted);
        second.ExpiresAt.ShouldBe(_time.GetUtcNow() + 2 * wanted);
        _hub.ReplyTo("edge-1", TimeSpan.FromSeconds(5)).ExpiresAt.ShouldBe(_time.GetUtcNow() + TimeSpan.FromSeconds(10));
    }

    [Fact]
    public void ReplyTo_ManyUsers_CacheStaysBoundedAndTokensRight()
    {
        for (int i = 0; i < 5000; i++)
        {
            ReplyCapability reply = _hub.ReplyTo($"user-{i}", TimeSpan.FromMinutes(1));
            new JsonWebToken(reply.Token).Audiences.ShouldBe([reply.Url]);
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData(".")]
    [InlineData("..")]
    public void ReplyTo_NameThatUrlsFoldAway_Throws(string user) =>
        Should.Throw<ArgumentException>(() => _hub.ReplyTo(user, TimeSpan.FromMinutes(1)));

    [Theory]
    [InlineData("")]
    [InlineData("1jobs")]
    [InlineData("jobs/x")]
    [InlineData("jobs&hub=x")]
    public void Constructor_NoHubName_Throws(string name) =>
        Should.Throw<ArgumentException>(() => new SignalRHub(SignalRConnectionString.Parse(Text), name, _sender, _time));
}
