using System.Text;

namespace OllamaMax.Security.Tests;

/// <summary>What strangers may put where a key belongs.</summary>
public sealed class HostileKeyTests(KeyedSystemFixture local)
{
    private static readonly string[] Places = ["Authorization", "x-api-key"];
    private static readonly string[] Schemes = ["", "Bearer ", "bearer ", "Basic ", "Digest ", "Bearer Bearer ", "Negotiate "];

    [Fact]
    public async Task AnyHeader_Noise_LetsNobodyInAndBreaksNothing()
    {
        Random chance = new(20261126);
        string real = local.Keys["user"];
        List<string> wrong = [];

        for (int i = 0; i < 300; i++)
        {
            (string place, string value) = (Places[chance.Next(Places.Length)], Schemes[chance.Next(Schemes.Length)] + Noise(chance, real));
            using HttpRequestMessage request = new(HttpMethod.Get, "/api/tags");
            request.Headers.TryAddWithoutValidation(place, value);
            using HttpResponseMessage response = await local.Client.SendAsync(request, TestContext.Current.CancellationToken);
            if ((int)response.StatusCode is not (401 or 400))
                wrong.Add($"{place}: {value}: {(int)response.StatusCode}");
        }

        wrong.ShouldBeEmpty();
    }

    [Fact]
    public void Output_WholeRun_HasNoKeyButTheFirstOnce()
    {
        string[] lines = [.. local.System.Output.Lines, .. local.System.Errors.Lines];

        lines.Count(line => line.Contains(local.Admin, StringComparison.Ordinal)).ShouldBe(1);
        foreach (string secret in local.Keys.Values.Select(key => key[^64..]))
            lines.ShouldAllBe(line => !line.Contains(secret, StringComparison.Ordinal));
    }

    /// <summary>A key with something wrong, its own hex in another case, base64 of it, or anything that a header may hold.</summary>
    private static string Noise(Random chance, string real) => chance.Next(6) switch
    {
        0 => real[..chance.Next(real.Length)],
        1 => real[..^1] + (real[^1] == '0' ? '1' : '0'),
        2 => real[..21] + real[21..].ToUpperInvariant().Replace('0', 'A'),
        3 => Convert.ToBase64String(Encoding.UTF8.GetBytes(real + ":")),
        4 => new string('e', chance.Next(1, 9000)),
        _ => string.Concat(Enumerable.Range(0, chance.Next(1, 200)).Select(_ => (char)chance.Next(' ', 127))),
    };
}
