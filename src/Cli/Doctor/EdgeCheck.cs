using System.Net;
using System.Security.Authentication;
using System.Text.Json;

namespace OllamaMax.Cli.Doctor;

/// <summary>The way to the edge, and what the edge itself says of what it needs.</summary>
internal sealed class EdgeCheck(Edge edge, TimeProvider time)
{
    private static readonly TimeSpan ClockIsOff = TimeSpan.FromMinutes(1);

    /// <summary>Signatures of storage are good for a quarter of an hour around their time.</summary>
    private static readonly TimeSpan ClockIsTooFarOff = TimeSpan.FromMinutes(10);

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    public async Task<IReadOnlyList<Finding>> FindAsync(CancellationToken cancellationToken)
    {
        List<Finding> findings = [];
        if (Proxy() is { } proxy)
            findings.Add(proxy);
        using CancellationTokenSource limit = new(Patience, time);
        using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            using HttpResponseMessage health = await edge.TryAsync(HttpMethod.Get, "healthz", null, either.Token);
            if (!health.Headers.Contains("x-request-id"))
            {
                findings.Add(new("edge", Verdict.Missing, $"what answers at {edge.Address} is no OllamaMax edge", "give its address with --edge, or have the local host take another port (--port)"));
                return findings;
            }
            findings.Add(Finding.Ok("edge", $"answers at {edge.Address}"));
            if (health.Headers.Date is { } date)
                findings.Add(Clock(date));
            findings.Add(await KeyAsync(either.Token));
            findings.AddRange(await ReadinessAsync(either.Token));
        }
        catch (EdgeException e)
        {
            findings.Add(Unreachable(e));
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested)
        {
            findings.Add(new("edge", Verdict.Missing, $"{edge.Address} does not answer within {Patience.TotalSeconds} s", "a firewall may swallow what is sent there; try from another network"));
        }
        return findings;
    }

    private Finding? Proxy()
    {
        string variable = edge.Address.Scheme == Uri.UriSchemeHttps ? "HTTPS_PROXY" : "HTTP_PROXY";
        string? proxy = Environment.GetEnvironmentVariable(variable) ?? Environment.GetEnvironmentVariable(variable.ToLowerInvariant());
        if (proxy is not { Length: > 0 })
            return null;
        string except = Environment.GetEnvironmentVariable("NO_PROXY") ?? Environment.GetEnvironmentVariable("no_proxy") ?? "";
        return edge.Address.IsLoopback && !except.Contains(edge.Address.Host, StringComparison.OrdinalIgnoreCase)
            ? new("proxy", Verdict.Note, $"{variable} is set and NO_PROXY does not name {edge.Address.Host}", $"NO_PROXY={edge.Address.Host},localhost keeps calls to this machine from the proxy")
            : Finding.Ok("proxy", $"{variable} is set");
    }

    private Finding Unreachable(EdgeException e)
    {
        if (e.InnerException?.InnerException is AuthenticationException tls)
            return new("certificate", Verdict.Missing, $"{edge.Address}: {tls.Message}", "have this machine trust who issued it (SSL_CERT_FILE), or use the name that it is for");
        string mend = edge.Address.IsLoopback
            ? "start it: dotnet run --project src/LocalHost; or give another address with --edge"
            : "is the address right (--edge), does the name resolve here, does a firewall let this machine out?";
        return new("edge", Verdict.Missing, e.Message, mend);
    }

    private Finding Clock(DateTimeOffset theirs)
    {
        TimeSpan off = time.GetUtcNow() - theirs;
        return off.Duration() < ClockIsOff
            ? Finding.Ok("clock", "as the edge's")
            : new("clock", off.Duration() < ClockIsTooFarOff ? Verdict.Note : Verdict.Missing,
                $"{off.Duration().TotalSeconds:0} s {(off > TimeSpan.Zero ? "ahead of" : "behind")} the edge's", "set it by NTP (timedatectl set-ntp true): signatures are good for minutes only");
    }

    private async Task<Finding> KeyAsync(CancellationToken cancellationToken)
    {
        using HttpResponseMessage tags = await edge.TryAsync(HttpMethod.Get, "api/tags", null, cancellationToken);
        return tags.StatusCode switch
        {
            HttpStatusCode.Unauthorized => edge.HasKey
                ? new("key", Verdict.Missing, "the edge does not know this key, or it has expired", "have an admin make one: ollamamax keys create NAME")
                : new("key", Verdict.Missing, "the edge wants a key", $"put one into {RootCommands.KeyVariable}; an admin makes it: ollamamax keys create NAME"),
            HttpStatusCode.Forbidden => new("key", Verdict.Note, "is good, and may not list models", "have an admin give it another role"),
            _ => Finding.Ok("key", edge.HasKey ? "is good" : "none is wanted here"),
        };
    }

    /// <summary>Storage, SignalR and workers are the edge's to reach: it says which it lacks.</summary>
    private async Task<IEnumerable<Finding>> ReadinessAsync(CancellationToken cancellationToken)
    {
        using HttpResponseMessage ready = await edge.TryAsync(HttpMethod.Get, "readyz", null, cancellationToken);
        JsonElement answer;
        try
        {
            answer = JsonElement.Parse(await ready.Content.ReadAsStringAsync(cancellationToken));
        }
        catch (JsonException)
        {
            return [new("readiness", Verdict.Missing, $"/readyz answers {(int)ready.StatusCode} and no JSON", "look into the edge's log")];
        }
        return answer.Items("checks").Select(check => check.Is("ready")
            ? Finding.Ok(check.Shown("name"), "is there, says the edge")
            : new Finding(check.Shown("name"), Verdict.Missing, check.Shown("reason"), MendOf(check.Shown("name"))));
    }

    private static string MendOf(string check) => check switch
    {
        "storage" => "does the account exist, may the edge use it, does Azurite run? AzureWebJobsStorage names it",
        "signalr" => "does the service exist and run, is the key still good, is its limit not reached? AzureSignalRConnectionString names it",
        "workers" => "join a box: ollamamax worker join",
        _ => "look into the edge's log",
    };
}
