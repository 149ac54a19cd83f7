using OllamaMax.TestKit;

namespace OllamaMax.Clients.Tests;

/// <summary>A local system for the whole assembly that asks for keys, without workers: what is asked of it needs none.</summary>
public sealed class KeyedSystemFixture : IAsyncLifetime
{
    private LocalSystem? _system;

    /// <summary>A key that was never given out.</summary>
    public static string UnknownKey { get; } = $"omx_0123456789abcdef_{new string('0', 64)}";

    /// <summary>Without any key.</summary>
    public Uri Address => _system!.BaseAddress;

    /// <summary>With the admin's key.</summary>
    public Uri RightKey => With(_system!.AdminKey);

    /// <summary>With a key that was never given out.</summary>
    public Uri WrongKey => With(UnknownKey);

    public async ValueTask InitializeAsync() =>
        _system = await LocalSystem.StartAsync(new() { Workers = 0, MoreArguments = ["--require-keys"] }, TestContext.Current.CancellationToken);

    public async ValueTask DisposeAsync()
    {
        if (_system is not null)
            await _system.DisposeAsync();
    }

    /// <summary>The scripts take the key from the address's fragment.</summary>
    private Uri With(string key) => new(_system!.BaseAddress, $"#{key}");
}
