using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using OllamaMax.Streaming;
using OllamaMax.TestKit;
using OllamaMax.Workers;

namespace OllamaMax.Security.Tests;

/// <summary>Somebody has put an enrolment of their own making where they may write, and calls themselves by a name that leads there.</summary>
public sealed class ForgedWorkerTests(KeyedSystemFixture local)
{
    /// <summary>Ways to write a step out of a folder, whoever takes them for one.</summary>
    public static TheoryData<string, string> Steps => new()
    {
        { "..", "/" }, { "..", "%2f" }, { "%2e%2e", "/" }, { "%2e%2e", "%2f" }, { "%252e%252e", "%252f" }, { "..", "\\" }, { "..", "%5c" }, { "%2e%2e", "\\" }, { ".", "/" },
    };

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [MemberData(nameof(Steps))]
    public async Task File_WithAnEnrolmentInIt_LetsNobodyIn(string up, string slash)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        string file = await UploadAsync(Record("evil", key));
        string path = string.Join(slash, up, up, "jobs", "files", file);

        await ShouldBeAStrangerAsync(path, key, "evil", path);
    }

    /// <summary>Its signature to write the heartbeat is good for a quarter of an hour more.</summary>
    [Theory]
    [MemberData(nameof(Steps))]
    public async Task Heartbeat_WithAnEnrolmentInIt_DoesNotUndoARevocation(string up, string slash)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        WorkerCapabilities worker = await local.EnrolAsync(key);
        (await local.StatusAsync(HttpMethod.Delete, $"/cluster/workers/{worker.WorkerId}", local.Keys["operator"])).ShouldBe(200);
        using HttpRequestMessage put = new(HttpMethod.Put, worker.HeartbeatUrl) { Content = new StringContent(Record(worker.WorkerId, key)) };
        put.Headers.Add("x-ms-version", "2021-12-02");
        put.Headers.Add("x-ms-blob-type", "BlockBlob");
        using HttpResponseMessage written = await local.Client.SendAsync(put, Cancellation);
        written.EnsureSuccessStatusCode();
        string path = string.Join(slash, up, "workers", worker.WorkerId);

        await ShouldBeAStrangerAsync(path, key, worker.WorkerId, path);
    }

    [Theory]
    [InlineData("../state")]
    [InlineData("../leader")]
    [InlineData("../enrolments/")]
    [InlineData("")]
    [InlineData("0123456789ABCDEF")]
    [InlineData("0123456789abcdef0")]
    [InlineData("0123456789abcdef\0")]
    public async Task Id_ThatIsNone_IsRefusedLikeAnyStrangers(string id)
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);

        await ShouldBeAStrangerAsync(id, key, id);
    }

    /// <summary>For each endpoint that takes a worker's id, with a token that says to be any of <paramref name="subjects"/>.</summary>
    private async Task ShouldBeAStrangerAsync(string id, ECDsa key, params string[] subjects)
    {
        string job = await SubmitAsync();
        foreach (string token in subjects.Select(subject => WorkerTokenSigner.Sign(key, subject)))
        {
            JobClaimRequest claim = new(ProtocolVersion.Current, id, "claim", "message");
            (await local.StatusAsync(HttpMethod.Post, $"/cluster/jobs/{job}/claim", token, JsonContent.Create(claim, ProtocolJson.Default.JobClaimRequest))).ShouldBeOneOf(400, 401);
            CapabilityRequest renewal = new(ProtocolVersion.Current, []);
            foreach (string segment in (string[])[id, Uri.EscapeDataString(id)])
                (await StatusAsync(HttpMethod.Post, $"/cluster/workers/{segment}/capabilities", token, JsonContent.Create(renewal, ProtocolJson.Default.CapabilityRequest))).ShouldBeOneOf(400, 401, 404, 405);
        }
        foreach (string segment in (string[])[id, Uri.EscapeDataString(id)])
        {
            foreach (var (method, path) in ((HttpMethod, string)[])[(HttpMethod.Get, ""), (HttpMethod.Post, "/drain"), (HttpMethod.Post, "/undrain"), (HttpMethod.Delete, "")])
                (await StatusAsync(method, $"/cluster/workers/{segment}{path}", local.Keys["operator"])).ShouldBeOneOf(200, 400, 404, 405);
        }
        (await local.StatusAsync(HttpMethod.Get, $"/jobs/{job}", local.Keys["user"])).ShouldBe(200);
    }

    /// <summary>The path as it is written here: a client makes a shorter one of <c>..</c>.</summary>
    private async Task<int> StatusAsync(HttpMethod method, string path, string key, HttpContent? content = null)
    {
        Uri address = new($"{local.System.BaseAddress.AbsoluteUri.TrimEnd('/')}{path}", new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true });
        using HttpRequestMessage request = new(method, address) { Content = content };
        request.Headers.Authorization = new("Bearer", key);
        using HttpResponseMessage response = await local.Client.SendAsync(request, Cancellation);
        return (int)response.StatusCode;
    }

    private static string Record(string id, ECDsa key) =>
        JsonSerializer.Serialize(new EnrolmentRecord(id, "forged", Convert.ToBase64String(key.ExportSubjectPublicKeyInfo()), DateTimeOffset.UnixEpoch), ProtocolJson.Default.EnrolmentRecord);

    /// <summary>Answers the bare id.</summary>
    private async Task<string> UploadAsync(string line)
    {
        MultipartFormDataContent form = new() { { new StringContent("batch"), "purpose" }, { new StringContent(line, Encoding.UTF8), "file", "lines.jsonl" } };
        using HttpResponseMessage response = await local.SendAsync(HttpMethod.Post, "/v1/files", local.Keys["user"], form);
        string id = (await response.Content.ReadFromJsonAsync<JsonElement>(Cancellation)).GetProperty("id").GetString()!;
        return id[(id.IndexOf('-', StringComparison.Ordinal) + 1)..];
    }

    private async Task<string> SubmitAsync()
    {
        using HttpResponseMessage response = await local.SendAsync(HttpMethod.Post, "/jobs", local.Keys["user"], JsonContent.Create(new { model = "demo", prompt = "secret" }));
        return (await response.Content.ReadFromJsonAsync<JsonElement>(Cancellation)).GetProperty("id").GetString()!;
    }
}
