using System.Net.Http.Json;
using System.Security.Cryptography;
using OllamaMax.TestKit;
using OllamaMax.TestKit.Models;

namespace OllamaMax.Clients.Tests;

/// <summary>A model that calls the tool <c>add</c> by itself, whatever it is asked, and says what comes of it once it is told. Uploaded as people do, and deleted in the end.</summary>
internal sealed class CallingModel : IAsyncDisposable
{
    public const string Name = "caller";

    public const string Answer = "It is 9.";

    private readonly HttpClient _edge;

    private CallingModel(HttpClient edge) => _edge = edge;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static async Task<CallingModel> PublishAsync(HttpClient edge)
    {
        using TempFolder folder = new();
        string file = folder.File($"{Name}.gguf");
        GgufGenerator.Write(file, new()
        {
            Context = 2048,
            NeverEnds = false,
            Name = Name,
            ChatTemplate = """
                {% if tools %}<|im_start|>system
                Tools: {{ tools | tojson }}. Call one with <tool_call>{"name":…,"arguments":…}</tool_call>.<|im_end|>
                {% endif %}{% for message in messages %}<|im_start|>{{ message.role }}
                {{ message.content }}<|im_end|>
                {% endfor %}<|im_start|>assistant{{ ':' if messages[-1].role == 'tool' else '\n' }}
                """,
            Answers = [new('\n', """
                <tool_call>
                {"name": "add", "arguments": {"a": 4}}
                </tool_call>
                """), new(':', Answer)],
        });
        byte[] bytes = await File.ReadAllBytesAsync(file, Cancellation);
        string digest = $"sha256:{Convert.ToHexStringLower(SHA256.HashData(bytes))}";
        using HttpResponseMessage uploaded = await edge.PostAsync($"/api/blobs/{digest}", new ByteArrayContent(bytes), Cancellation);
        uploaded.EnsureSuccessStatusCode();
        using HttpResponseMessage created = await edge.PostAsJsonAsync(
            "/api/create", new { model = Name, files = new Dictionary<string, string> { [$"{Name}.gguf"] = digest }, stream = false }, Cancellation);
        created.EnsureSuccessStatusCode();
        return new(edge);
    }

    public async ValueTask DisposeAsync()
    {
        using HttpRequestMessage request = new(HttpMethod.Delete, "/api/delete") { Content = JsonContent.Create(new { model = Name }) };
        using HttpResponseMessage deleted = await _edge.SendAsync(request, Cancellation);
        deleted.EnsureSuccessStatusCode();
    }
}
