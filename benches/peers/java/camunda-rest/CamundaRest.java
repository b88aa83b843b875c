import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.context.annotation.Configuration;

/** Camunda 7 with its REST API: `CamundaRest PORT JDBC_URL`. */
@Configuration(proxyBeanMethods = false)
@EnableAutoConfiguration // without a scan, which from a class of no package would read every class there is
public class CamundaRest {
    public static void main(String[] arguments) {
        SpringApplication.run(
            CamundaRest.class,
            "--server.address=127.0.0.1",
            "--server.port=" + arguments[0],
            "--spring.datasource.url=" + arguments[1],
            "--spring.datasource.hikari.maximum-pool-size=36",
            "--camunda.bpm.job-execution.enabled=false",
            "--camunda.bpm.history-level=full",
            "--camunda.bpm.generic-properties.properties.enforceHistoryTimeToLive=false",
            "--logging.level.root=WARN");
    }
}
