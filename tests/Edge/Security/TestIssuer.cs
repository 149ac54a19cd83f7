using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using OllamaMax.TestKit;

namespace OllamaMax.Edge.Tests.Security;

/// <summary>An OpenID Connect issuer on this machine: its discovery document, its keys, and tokens good and bad.</summary>
internal sealed class TestIssuer : IAsyncDisposable
{
    public const string Audience = "api://ollamamax";

    private static readonly RSA[] Pairs = [RSA.Create(2048), RSA.Create(2048)];

    private readonly WebApplication _app;
    private readonly List<RsaSecurityKey> _published = [];
    private readonly TaskCompletionSource _asked = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile TaskCompletionSource? _hanging;
    private int _reads;
    private int _givenUp;

    private TestIssuer(WebApplication app)
    {
        _app = app;
        Rotate();
    }

    public string Url => _app.Urls.Single();

    /// <summary>What the discovery document says the issuer is, if not this.</summary>
    public string? ClaimedIssuer { get; set; }

    /// <summary>How often the keys were read.</summary>
    public int Reads => Volatile.Read(ref _reads);

    /// <summary>Ends when the keys are asked for while it hangs.</summary>
    public Task Asked => _asked.Task;

    /// <summary>How many have not waited for it to answer again.</summary>
    public int GivenUp => Volatile.Read(ref _givenUp);

    /// <summary>What tokens are signed with.</summary>
    public RsaSecurityKey Key
    {
        get
        {
            lock (_published)
                return _published[^1];
        }
    }

    public static async Task<TestIssuer> StartAsync()
    {
        WebApplication app = LoopbackServer.Build();
        TestIssuer issuer = new(app);
        app.MapGet("/.well-known/openid-configuration", () => Results.Json(new { issuer = issuer.ClaimedIssuer ?? issuer.Url, jwks_uri = $"{issuer.Url}/keys" }));
        app.Use(issuer.AnswerAsync);
        app.MapGet("/keys", issuer.Keys);
        await app.StartAsync(TestContext.Current.CancellationToken);
        return issuer;
    }

    /// <summary>Signs with another key from now on; the ones before stay published.</summary>
    public void Rotate()
    {
        lock (_published)
            _published.Add(new(Pairs[_published.Count % Pairs.Length]) { KeyId = Guid.NewGuid().ToString("n") });
    }

    /// <summary>Takes requests and answers none, until it is told to go on.</summary>
    public void Hang() => _hanging = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public void GoOn() => _hanging!.SetResult();

    public string Token(DateTimeOffset now, Action<SecurityTokenDescriptor>? change = null)
    {
        SecurityTokenDescriptor token = new()
        {
            Issuer = Url,
            Audience = Audience,
            IssuedAt = now.UtcDateTime,
            NotBefore = now.UtcDateTime,
            Expires = now.AddMinutes(5).UtcDateTime,
            Claims = new Dictionary<string, object> { ["sub"] = "ada", ["tid"] = "acme", ["roles"] = new[] { "Model.User", "Something.Else" } },
            SigningCredentials = new(Key, SecurityAlgorithms.RsaSha256),
        };
        change?.Invoke(token);
        return new JsonWebTokenHandler { SetDefaultTimesOnTokenCreation = false }.CreateToken(token);
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private async Task AnswerAsync(HttpContext context, RequestDelegate next)
    {
        if (_hanging is { } hanging)
        {
            _asked.TrySetResult();
            using CancellationTokenRegistration left = context.RequestAborted.Register(() => Interlocked.Increment(ref _givenUp));
            await hanging.Task;
        }
        await next(context);
    }

    private IResult Keys()
    {
        Interlocked.Increment(ref _reads);
        lock (_published)
        {
            return Results.Json(new
            {
                keys = _published.Select(key => JsonWebKeyConverter.ConvertFromSecurityKey(key)).Select(key => new { kty = key.Kty, use = "sig", kid = key.Kid, n = key.N, e = key.E }),
            });
        }
    }
}
