using Microsoft.Playwright;
using OllamaMax.TestKit;

namespace OllamaMax.Browser.Tests;

/// <summary>One local system that asks for keys, with two workers, and one browser, for all tests. Where the machine has no browser nothing is started, and the tests are skipped.</summary>
public sealed class ConsoleFixture : IAsyncLifetime
{
    public const string Endless = LocalSystemFixture.Endless;

    /// <summary>This machine by a name that tells the browser nothing, and that edges let in: pages from there, over plain http, are to it those of another machine.</summary>
    public const string ElsewhereHost = "host.docker.internal";

    /// <summary>What the browser waits for may take this long, in ms: less than a test may.</summary>
    private const float Patience = 200_000;

    private readonly TempFolder _folder = new();
    private readonly HttpClient _client = new() { Timeout = TimeSpan.FromMinutes(2) };
    private LocalSystem? _system;
    private IPlaywright? _playwright;
    private IBrowser? _browser;

    public LocalSystem System => WhereABrowserIs(_system!);

    /// <summary>With the admin's key.</summary>
    public HttpClient Client => WhereABrowserIs(_client);

    /// <summary>Serves what tests have pulled.</summary>
    internal ModelSource Source { get; } = new();

    public async ValueTask InitializeAsync()
    {
        if (Chromium.Find() is not { } chromium)
            return;
        CancellationToken cancellationToken = TestContext.Current.CancellationToken;
        await Source.StartAsync(cancellationToken);
        Task<LocalSystem> system = LocalSystem.StartAsync(
            new()
            {
                Workers = 2,
                Model = LocalSystemFixture.WriteEndless(_folder),
                MoreArguments = ["--require-keys"],
                Environment = new Dictionary<string, string?>
                {
                    // Whoever looks at a takeover need not wait for it longer than that.
                    ["OllamaMax__Jobs__Lease"] = "00:00:03",
                    ["OllamaMax__Jobs__ChoosyFor"] = "00:00:00",
                    ["OllamaMax__Pull__Hosts__0"] = $"models.test={Source.Address}",
                    ["OllamaMax__Pull__AllowPrivateAddresses"] = "true",
                },
            },
            cancellationToken);
        _playwright = await Playwright.CreateAsync();
        Assertions.SetDefaultExpectTimeout(Patience);
        _browser = await _playwright.Chromium.LaunchAsync(new() { ExecutablePath = chromium, Timeout = Patience, Args = [$"--host-resolver-rules=MAP {ElsewhereHost} 127.0.0.1"] });
        _system = await system;
        _client.BaseAddress = _system.BaseAddress;
        _client.DefaultRequestHeaders.Authorization = new("Bearer", _system.AdminKey);
    }

    /// <summary>A page of the console in a browser profile of its own, with the admin's key unless the options say otherwise.</summary>
    /// <param name="page">Such as <c>chat</c>.</param>
    internal async Task<ConsolePage> OpenAsync(string page, ConsolePageOptions? options = null)
    {
        options ??= new();
        IBrowserContext context = await WhereABrowserIs(_browser!).NewContextAsync(new()
        {
            ViewportSize = new() { Width = options.Width, Height = options.Height },
            ColorScheme = options.IsDark ? ColorScheme.Dark : ColorScheme.Light,
            ReducedMotion = ReducedMotion.Reduce,
            BaseURL = (options.BaseAddress ?? System.BaseAddress).ToString(),
        });
        context.SetDefaultTimeout(Patience);
        if (options.HasKey)
            await context.AddInitScriptAsync($"sessionStorage.setItem('ollamamax.key', '{System.AdminKey}')");
        ConsolePage opened = new(await context.NewPageAsync());
        await opened.GoAsync(page);
        return opened;
    }

    // Whatever a test asks for first: without a browser nothing of it is there.
    private T WhereABrowserIs<T>(T needed)
    {
        Assert.SkipWhen(_browser is null, Chromium.HowToGet);
        return needed;
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        if (_browser is not null)
            await _browser.DisposeAsync();
        _playwright?.Dispose();
        if (_system is not null)
            await _system.DisposeAsync();
        await Source.DisposeAsync();
        _folder.Dispose();
    }
}
