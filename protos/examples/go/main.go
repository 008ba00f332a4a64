// Prints the papers that are related to one paper: go run . ADDRESS PAPER_ID
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	relatedpapers "related-papers-example/gen/relatedpapers/v1"
)

func main() {
	address, paperID := os.Args[1], os.Args[2]
	connection, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		log.Fatal(err)
	}
	defer connection.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()

	client := relatedpapers.NewRecommendationServiceClient(connection)
	answer, err := client.ListRelatedPapers(ctx, &relatedpapers.ListRelatedPapersRequest{
		PaperIds: []string{paperID},
		PageSize: 5,
	})
	if err != nil {
		log.Fatal(err)
	}
	for _, result := range answer.Results {
		fmt.Printf("%.2f  %s (%d)\n", result.GetScore(), result.Paper.Title, result.Paper.GetYear())
	}
}
