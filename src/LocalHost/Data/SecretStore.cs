using System.Security.Cryptography;

namespace OllamaMax.LocalHost.Data;

/// <summary>Secrets made by chance once and kept, each in a file that its owner alone can read.</summary>
internal sealed class SecretStore(string folder)
{
    private const int Bytes = 32;
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>32 bytes in base64: the same at every call and every start.</summary>
    public string GetOrCreate(string name)
    {
        string file = Path.Combine(folder, name);
        if (!File.Exists(file))
            Write(file, Convert.ToBase64String(RandomNumberGenerator.GetBytes(Bytes)));
        return File.ReadAllText(file);
    }

    /// <summary>The same where it was made once; null: it never was.</summary>
    public string? Find(string name) => File.Exists(Path.Combine(folder, name)) ? GetOrCreate(name) : null;

    /// <summary>Whole or not at all: a kill in between must not leave half a secret behind.</summary>
    internal static void Write(string file, string secret)
    {
        string whole = file + ".new";
        FileStreamOptions options = new() { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = OwnerOnly;
        using (StreamWriter writer = new(whole, options))
            writer.Write(secret);
        File.Move(whole, file, overwrite: true);
    }
}
