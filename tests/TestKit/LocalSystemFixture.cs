using OllamaMax.TestKit.Models;
using Xunit;

namespace OllamaMax.TestKit;

/// <summary>
/// One local system for a whole test assembly, with two models: <c>demo</c>, which answers fast and ends soon, and <see cref="Endless"/>,
/// whose answers are noise and as long as they may be. <c>[assembly: AssemblyFixture(typeof(LocalSystemFixture))]</c>; tests that
/// kill something start a system of their own.
/// </summary>
public sealed class LocalSystemFixture : IAsyncLifetime
{
    public const string Endless = "endless";

    private readonly TempFolder _folder = new();
    private LocalSystem? _system;

    public LocalSystem System => _system!;

    public HttpClient Client { get; } = new() { Timeout = TimeSpan.FromMinutes(2) };

    /// <summary>Writes a model of 13 million weights that takes chats too: on any machine an answer of its whole context takes seconds.</summary>
    /// <returns>The file's path.</returns>
    public static string WriteEndless(TempFolder folder)
    {
        string file = folder.File($"{Endless}.gguf");
        GgufGenerator.Write(file, new()
        {
            Layers = 4,
            Width = 512,
            Heads = 8,
            KeyValueHeads = 4,
            FeedForward = 1536,
            Context = 4096,
            Name = Endless,
            ChatTemplate = "{% for message in messages %}{{ message.content }}{% endfor %}",
        });
        return file;
    }

    public async ValueTask InitializeAsync()
    {
        _system = await LocalSystem.StartAsync(new() { Model = WriteEndless(_folder) }, TestContext.Current.CancellationToken);
        Client.BaseAddress = _system.BaseAddress;
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        if (_system is not null)
            await _system.DisposeAsync();
        _folder.Dispose();
    }
}
