using System.Security.Cryptography;
using OllamaMax.Security;

namespace OllamaMax.LocalHost.Data;

/// <summary>Secrets made by chance once and kept, each in a file that its owner alone can read.</summary>
internal sealed class SecretStore(string folder)
{
    private const int Bytes = 32;

    /// <summary>32 bytes in base64: the same at every call and every start.</summary>
    public string GetOrCreate(string name)
    {
        string file = Path.Combine(folder, name);
        if (!File.Exists(file))
            SecretFile.Write(file, Convert.ToBase64String(RandomNumberGenerator.GetBytes(Bytes)));
        return File.ReadAllText(file);
    }

    /// <summary>The same where it was made once; null: it never was.</summary>
    public string? Find(string name) => File.Exists(Path.Combine(folder, name)) ? GetOrCreate(name) : null;
}
