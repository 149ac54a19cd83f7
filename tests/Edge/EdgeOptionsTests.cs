using Microsoft.Extensions.Options;

namespace OllamaMax.Edge.Tests;

public sealed class EdgeOptionsTests
{
    [Fact]
    public void Validate_Defaults_AreFine() => new EdgeOptionsValidator().Validate(null, new()).Succeeded.ShouldBeTrue();

    [Fact]
    public void Validate_SeveralWrong_AllAreTold()
    {
        EdgeOptions options = new() { MaxBodyBytes = 1, JobDeadline = TimeSpan.Zero, TrustLoopback = true, OllamaVersion = "new" };
        options.AllowedHosts.Add("*");

        ValidateOptionsResult result = new EdgeOptionsValidator().Validate(null, options);

        string[] errors = [.. result.Failures!];
        errors.Length.ShouldBe(4);
        errors[0].ShouldBe("MaxBodyBytes is 1, not from 1024 to 1073741824.");
    }
}
